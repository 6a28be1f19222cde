/** SSL_SESSION begins with its version, the INTEGER 1; ssl/ssl_asn1.c of OpenSSL. */
const VERSION = Buffer.from([0x02, 0x01, 0x01])
const SEQUENCE = 0x30
/** The tag of `max_early_data` there: [15] EXPLICIT. */
const MAX_EARLY_DATA = 0xaf
/** The tag of `tlsext_tick` there: [10] EXPLICIT. */
const TICKET = 0xaa
/** How much of a ticket names the key that protects it: RFC 5077 s4. */
const KEY_NAME = 16

/**
 * How many bytes of early data a session of TLS 1.3 allows (RFC 8446 s4.6.1). `session`: as Node gives it, which is the DER
 * of OpenSSL behind a note of Node's own. Undefined for bytes that are something else.
 */
export function maxEarlyData(session: Buffer): number | undefined {
  const found = elementOf(session, MAX_EARLY_DATA)
  if (found === undefined || found === 'absent') return found && 0
  const [first, last] = found
  return session.readUIntBE(first, last - first)
}

/** The same session with a ticket under a key of another name. Without a ticket it stays as it is. */
export function withUnknownTicket(session: Buffer): Buffer {
  const found = elementOf(session, TICKET)
  if (found === undefined || found === 'absent') return session
  const other = Buffer.from(session)
  for (let at = found[0]; at < Math.min(found[1], found[0] + KEY_NAME); at++) other[at]! ^= 0xff
  return other
}

/** Where the content of an optional element of a session begins and ends; undefined for bytes that are something else. */
function elementOf(session: Buffer, tag: number): [from: number, to: number] | 'absent' | undefined {
  try {
    const version = session.indexOf(VERSION)
    const begin = [4, 3, 2].map(size => version - size).find(at => at >= 0 && session[at] === SEQUENCE)
    if (begin === undefined) return undefined
    const [, to] = contentOf(session, begin)
    for (let at = version; at < to; ) {
      const [from, end] = contentOf(session, at)
      if (session[at] === tag) {
        const [first, last] = contentOf(session, from)
        return last <= session.length ? [first, last] : undefined
      }
      at = end
    }
    return 'absent'
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Where the content of a DER element begins and ends. Throws RangeError past the end of the bytes. */
function contentOf(bytes: Buffer, at: number): [from: number, to: number] {
  const short = bytes.readUInt8(at + 1)
  const size = short < 0x80 ? 0 : short & 0x7f
  const length = size === 0 ? short : bytes.readUIntBE(at + 2, size)
  return [at + 2 + size, at + 2 + size + length]
}
