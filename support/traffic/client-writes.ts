import type { Writes } from '../wire/smtp/smtp.ts'
import { type Cut, inHalves, inPieces } from '../wire/write-in-pieces.ts'
import type { ClientManner } from './client-manner.ts'

const KIB = 1024
/** The dot that ends a message, with its line ends before and behind it. */
const FINAL_DOT = '\r\n.\r\n'

/** The bytes of the dot and of its line ends leave one by one. */
const finalDotApart: Cut = bytes => {
  const at = bytes.length - FINAL_DOT.length
  return bytes.subarray(at).toString() === FINAL_DOT
    ? [bytes.subarray(0, at), ...inPieces(1)(bytes.subarray(at))]
    : [bytes]
}

/** How the bytes of a client of this manner leave. */
export function writesOf({ commandWrites, messageWrites }: ClientManner): Writes {
  return {
    ...(commandWrites ? { commands: commandWrites === 'two halves' ? inHalves : inPieces(1) } : {}),
    ...(messageWrites
      ? { messages: messageWrites === 'the final dot apart' ? finalDotApart : inPieces(KIB) }
      : {}),
  }
}

/** A message as chunks, CRLF line ends and no dot stuffed: RFC 3030 s2. Several are two halves and an empty last one. */
export function chunksOf(content: string, transfer: string): Buffer[] {
  const whole = Buffer.from(content.replace(/\r?\n/g, '\r\n'), 'latin1')
  return transfer === 'BDAT in several chunks' ? [...inHalves(whole), Buffer.alloc(0)] : [whole]
}
