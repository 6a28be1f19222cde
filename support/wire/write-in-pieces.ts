import { setTimeout as pause } from 'node:timers/promises'

/** Cuts bytes into pieces: each leaves by a write of its own. */
export type Cut = (bytes: Buffer) => Buffer[]

/** Pause behind each of a few pieces, in ms, so that the receiver reads them one by one; behind many it is shorter. */
const BETWEEN_PIECES = 1
const FEW = 8

/** Writes the pieces one after the other, until `write` says that the connection is over. */
export async function writePieces(
  pieces: readonly Buffer[],
  write: (piece: Buffer) => Promise<boolean>,
): Promise<void> {
  for (const piece of pieces) {
    if (!(await write(piece))) return
    if (pieces.length <= FEW) await pause(BETWEEN_PIECES)
    // A receiver in this process reads before this, also where the timer was late.
    await new Promise(setImmediate)
  }
}

/** Pieces of so many bytes; the last one may be shorter. */
export const inPieces =
  (size: number): Cut =>
  bytes =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

export const inHalves: Cut = bytes => inPieces(Math.ceil(bytes.length / 2))(bytes)
