import type { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

/** Cuts bytes into pieces: each leaves by a write of its own. */
export type Cut = (bytes: Buffer) => Buffer[]

/** Pause behind each of a few pieces, in ms, so that the receiver reads them one by one; behind many it is shorter. */
const BETWEEN_PIECES = 1
const FEW = 8
/**
 * How long the receiver is kept waiting for many pieces, in ms; then the rest leaves in one piece. A receiver may give a line
 * or a handshake up after some seconds, and where the suite is busy, thousands of writes take longer.
 */
const LONGEST = 500

/** Writes the pieces one after the other, until `write` says that the connection is over. */
export async function writePieces(
  pieces: readonly Buffer[],
  write: (piece: Buffer) => Promise<boolean>,
): Promise<void> {
  const isFew = pieces.length <= FEW
  const deadline = performance.now() + LONGEST
  for (const [at, piece] of pieces.entries()) {
    if (!isFew && performance.now() > deadline) {
      await write(Buffer.concat(pieces.slice(at)))
      return
    }
    if (!(await write(piece))) return
    if (isFew) await pause(BETWEEN_PIECES)
    // A receiver in this process reads before this, also where the timer was late.
    await new Promise(setImmediate)
  }
}

/** As `write` of a stream, in pieces of so many bytes. */
export function writeInPieces(
  stream: Writable,
  bytes: Buffer,
  size: number,
  done: (error?: Error | null) => void,
): void {
  let failure: Error | null | undefined
  const write = (piece: Buffer) => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    stream.write(piece, error => {
      failure = error
      resolve(!error)
    })
    return promise
  }
  void writePieces(inPieces(size)(bytes), write).then(() => done(failure))
}

/** Pieces of so many bytes; the last one may be shorter. */
export const inPieces =
  (size: number): Cut =>
  bytes =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

export const inHalves: Cut = bytes => inPieces(Math.ceil(bytes.length / 2))(bytes)
