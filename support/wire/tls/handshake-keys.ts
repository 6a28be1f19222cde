import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto'

interface Suite {
  cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'
  hash: 'sha256' | 'sha384'
  keyLength: number
}

/** The suites of TLS 1.3 that RFC 8446 appendix B.4 names and OpenSSL offers. */
const SUITES: Record<string, Suite> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', hash: 'sha256', keyLength: 16 },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', hash: 'sha384', keyLength: 32 },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', hash: 'sha256', keyLength: 32 },
}

const TAG = 16

/**
 * Decrypts the handshake records of one direction of TLS 1.3 with a secret of the lab's end, so that the lab sees a
 * CertificateRequest on the wire. RFC 8446 s5.2, s7.3.
 */
export class HandshakeKeys {
  readonly #suite: Suite
  /** Not its bytes, which Node would make a key of for each record. */
  readonly #key: KeyObject
  readonly #iv: Buffer
  #sequence = 0

  /** `secret` is the handshake traffic secret; undefined for a suite that is not known. */
  static from(suite: string, secret: Buffer): HandshakeKeys | undefined {
    const known = SUITES[suite]
    return known && new HandshakeKeys(known, secret)
  }

  private constructor(suite: Suite, secret: Buffer) {
    this.#suite = suite
    const from = createSecretKey(secret)
    this.#key = createSecretKey(expandLabel(suite.hash, from, 'key', suite.keyLength))
    this.#iv = expandLabel(suite.hash, from, 'iv', 12)
  }

  /** Content type and content of the next record; nothing when the record is not under these keys. */
  open(header: Buffer, body: Buffer): { type: number; content: Buffer } | undefined {
    if (body.length < TAG + 1) return undefined
    const nonce = Buffer.from(this.#iv)
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence) >>> 0, 8)
    try {
      const options = { authTagLength: TAG }
      const decipher = createDecipheriv(this.#suite.cipher as 'aes-128-gcm', this.#key, nonce, options)
      decipher.setAAD(header)
      decipher.setAuthTag(body.subarray(-TAG))
      const plain = Buffer.concat([decipher.update(body.subarray(0, -TAG)), decipher.final()])
      this.#sequence++
      // Zeros behind the content type are padding.
      let end = plain.length - 1
      while (end > 0 && plain[end] === 0) end--
      return { type: plain[end]!, content: plain.subarray(0, end) }
    } catch {
      return undefined
    }
  }
}

/** The first record under a traffic secret: its header, and `content` of this type encrypted. Undefined for a suite that is not known. */
export function sealedFirst(
  suite: string,
  secret: Buffer,
  { type, content }: { type: number; content: Buffer },
): Buffer | undefined {
  const known = SUITES[suite]
  if (!known) return undefined
  const from = createSecretKey(secret)
  const [key, nonce] = [
    expandLabel(known.hash, from, 'key', known.keyLength),
    expandLabel(known.hash, from, 'iv', 12),
  ]
  const plain = Buffer.concat([content, Buffer.from([type])])
  const header = Buffer.from([23, 3, 3, 0, 0])
  header.writeUInt16BE(plain.length + TAG, 3)
  const cipher = createCipheriv(known.cipher as 'aes-128-gcm', key, nonce, { authTagLength: TAG })
  cipher.setAAD(header)
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** A line of Node's `keylog` event, `LABEL CLIENT_RANDOM SECRET`: what it names, and the secret. */
export function labelled(line: Buffer): [label: string, secret: Buffer] {
  const [label = '', , secret = ''] = line.toString('latin1').trim().split(' ')
  return [label, Buffer.from(secret, 'hex')]
}

/** HKDF-Expand-Label with an empty context, for at most one block; RFC 8446 s7.1. */
function expandLabel(hash: string, secret: KeyObject, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1')
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 0xff, name.length]),
    name,
    Buffer.from([0, 1]),
  ])
  return createHmac(hash, secret).update(info).digest().subarray(0, length)
}
