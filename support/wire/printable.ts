/**
 * Bytes from a peer as text that is safe to print and to store: control and non-ASCII bytes become `\xNN`,
 * anything past `max` characters is cut and counted.
 */
export function printable(bytes: Uint8Array | string, max = 400): string {
  const source = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes
  let text = ''
  for (const byte of source.subarray(0, max)) {
    if (byte === 0x5c) text += '\\\\'
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte)
    else if (byte === 0x0d) text += '\\r'
    else if (byte === 0x0a) text += '\\n'
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return source.length > max ? `${text}… (${source.length} bytes)` : text
}
