import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import { ConnectionEnded, type ScriptedConnection } from './scripted-connection.ts'

/** A TLS record. It is unencrypted unless its body is already sealed. */
export function record(type: number, body: Buffer | number[], version = 0x0303): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from([type, version >> 8, version & 0xff, bytes.length >> 8, bytes.length & 0xff]),
    bytes,
  ])
}

export function vector(size: 1 | 2 | 3, body: Buffer): Buffer {
  const length = Buffer.alloc(size)
  length.writeUIntBE(body.length, 0, size)
  return Buffer.concat([length, body])
}

/** A handshake message (RFC 8446 s4). */
export const handshake = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), vector(3, body)])

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
const ZERO = Buffer.alloc(32)

function expand(secret: Buffer, label: string, context: Buffer, length: number): Buffer {
  const info = Buffer.concat([
    Buffer.from([0, length]),
    vector(1, Buffer.from(`tls13 ${label}`)),
    vector(1, context),
  ])
  return createHmac('sha256', secret)
    .update(Buffer.concat([info, Buffer.from([1])]))
    .digest()
    .subarray(0, length)
}

const extract = (salt: Buffer, input: Buffer) => createHmac('sha256', salt).update(input).digest()

/** Encrypts the records of one direction with one traffic secret (RFC 8446 s5.2). */
class Sealer {
  #secret: Buffer
  #key!: Buffer
  #iv!: Buffer
  #sequence = 0

  constructor(secret: Buffer) {
    this.#secret = secret
    this.#derive()
  }

  #derive(): void {
    this.#key = expand(this.#secret, 'key', Buffer.alloc(0), 16)
    this.#iv = expand(this.#secret, 'iv', Buffer.alloc(0), 12)
    this.#sequence = 0
  }

  /** Encrypts content of any length, in as many records as necessary. */
  seal(type: number, content: Buffer, fragment = 16_000): Buffer {
    const records: Buffer[] = []
    for (let at = 0; at === 0 || at < content.length; at += fragment) {
      const plain = Buffer.concat([content.subarray(at, at + fragment), Buffer.from([type])])
      const header = Buffer.from([23, 3, 3, 0, 0])
      header.writeUInt16BE(plain.length + 16, 3)
      const nonce = Buffer.from(this.#iv)
      nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence++) >>> 0, 8)
      const cipher = createCipheriv('aes-128-gcm', this.#key, nonce).setAAD(header)
      records.push(header, cipher.update(plain), cipher.final(), cipher.getAuthTag())
    }
    return Buffer.concat(records)
  }

  /** A KeyUpdate that asks for a KeyUpdate in return; the next records use the new keys (RFC 8446 s4.6.3). */
  update(): Buffer {
    const sealed = this.seal(22, handshake(24, Buffer.from([1])))
    this.#secret = expand(this.#secret, 'traffic upd', Buffer.alloc(0), 32)
    this.#derive()
    return sealed
  }
}

export interface Tls13Options {
  /** PEM. */
  key: string
  /** The certificates in DER, in the order of the Certificate message. */
  chain: Buffer[]
  /** Sends something before the Certificate message with the keys of the handshake. It may never return. */
  before?: (seal: Sealer) => Promise<void>
}

/**
 * The server's part of a TLS 1.3 handshake (X25519, AES-128-GCM), byte by byte, so that a script can break it anywhere. It
 * ignores what the client sends after its hello. Returns the sealer for application records.
 */
export async function tls13(connection: ScriptedConnection, options: Tls13Options): Promise<Sealer> {
  const { body: hello } = await connection.record()
  const { session, share } = offered(hello.subarray(4))
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  const own = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const theirs = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), share]),
    type: 'spki',
    format: 'der',
  })
  const serverHello = handshake(
    2,
    Buffer.concat([
      Buffer.from([3, 3]),
      randomBytes(32),
      vector(1, session),
      Buffer.from([0x13, 0x01, 0]),
      vector(
        2,
        Buffer.concat([
          Buffer.from([0, 43, 0, 2, 3, 4, 0, 51]),
          vector(2, Buffer.concat([Buffer.from([0, 29]), vector(2, own)])),
        ]),
      ),
    ]),
  )
  let transcript = Buffer.concat([hello, serverHello])
  const empty = sha256(Buffer.alloc(0))
  const early = extract(ZERO, ZERO)
  const secret = extract(
    expand(early, 'derived', empty, 32),
    diffieHellman({ privateKey, publicKey: theirs }),
  )
  const traffic = expand(secret, 's hs traffic', sha256(transcript), 32)
  connection.write(Buffer.concat([record(22, serverHello), record(20, [1])]))
  const seal = new Sealer(traffic)
  const say = (type: number, body: Buffer) => {
    const message = handshake(type, body)
    transcript = Buffer.concat([transcript, message])
    connection.write(seal.seal(22, message))
  }
  say(8, vector(2, Buffer.alloc(0)))
  await options.before?.(seal)
  const list = options.chain.map(der => Buffer.concat([vector(3, der), Buffer.from([0, 0])]))
  say(11, Buffer.concat([Buffer.from([0]), vector(3, Buffer.concat(list))]))
  const signed = Buffer.concat([
    Buffer.alloc(64, 0x20),
    Buffer.from('TLS 1.3, server CertificateVerify\0'),
    sha256(transcript),
  ])
  const pss = { key: options.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  say(15, Buffer.concat([Buffer.from([8, 4]), vector(2, sign('sha256', signed, pss))]))
  const finished = expand(traffic, 'finished', Buffer.alloc(0), 32)
  say(20, createHmac('sha256', finished).update(sha256(transcript)).digest())
  const master = extract(expand(secret, 'derived', empty, 32), ZERO)
  return new Sealer(expand(master, 's ap traffic', sha256(transcript), 32))
}

/** The session id and the X25519 share of a ClientHello. */
function offered(body: Buffer): { session: Buffer; share: Buffer } {
  let at = 34
  const take = (size: 1 | 2) => {
    const length = body.readUIntBE(at, size)
    at += size + length
    return body.subarray(at - length, at)
  }
  const session = take(1)
  take(2)
  take(1)
  const extensions = take(2)
  for (let n = 0; n < extensions.length; n += 4 + extensions.readUInt16BE(n + 2)) {
    if (extensions.readUInt16BE(n) !== 51) continue
    const end = n + 4 + extensions.readUInt16BE(n + 2)
    for (let m = n + 6; m < end; m += 4 + extensions.readUInt16BE(m + 2))
      if (extensions.readUInt16BE(m) === 29) return { session, share: extensions.subarray(m + 4, m + 36) }
  }
  // The client offers only old versions.
  throw new ConnectionEnded()
}
