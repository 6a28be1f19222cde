import { withoutSecrets } from './secrets.ts'

/** In bytes. */
const LONGEST_SECRET = 2_000

/**
 * Bytes from a peer as text that is safe to print and to store: control and non-ASCII bytes become `\xNN`,
 * anything past `max` characters is cut and counted.
 */
export function printable(bytes: Uint8Array | string, max = 400): string {
  const source = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes
  // A secret that is cut would not be found.
  const text = withoutSecrets(source.subarray(0, max + LONGEST_SECRET).toString('latin1'))
    .slice(0, max)
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, escaped)
  return source.length > max ? `${text}… (${source.length} bytes)` : text
}

function escaped(character: string): string {
  if (character === '\\') return '\\\\'
  if (character === '\r') return '\\r'
  if (character === '\n') return '\\n'
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
