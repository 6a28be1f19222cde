/** For the defect `stripsSmime`: an enveloped message as plain text that says nothing; RFC 8551 s3.3. */
export function withoutSmime(content: Buffer): Buffer {
  const text = content.toString('latin1')
  if (!/^Content-Type: application\/pkcs7-mime/im.test(text)) return content
  const head = text
    .slice(0, text.indexOf('\r\n\r\n'))
    .replace(/^Content-(Type|Transfer-Encoding):.*\r\n?/gim, '')
  return Buffer.from(`${head.trimEnd()}\r\n\r\nThe message could not be decrypted.\r\n`, 'latin1')
}
