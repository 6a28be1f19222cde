import assert from 'node:assert/strict'
import { constants, createDecipheriv, createHash, createHmac, privateDecrypt } from 'node:crypto'
import { secured } from '../evidence/facts.ts'
import { hadForwardSecrecy } from '../judgements/wire.ts'
import { Pki } from '../pki/pki.ts'
import { type Capture, captured } from '../test-bed/fixtures/loopback.ts'
import { Recorder } from './recorder.ts'

const STATIC = 'AES256-GCM-SHA384'

describe('a record from the path', () => {
  const pki = new Pki()
  let key: string
  let cert: string
  before(async () => {
    ;({ key, certificate: cert } = await pki.issue({ names: ['mx.d1.test'], usage: 'server' }))
  })

  /** Sender first: so they speak. */
  function overheard({ sender, receiver }: Capture) {
    const recorder = new Recorder({
      gatewayIs: 'sender',
      sender: 'gateway',
      receiver: 'mx.d1.test',
      overheard: true,
    })
    for (const party of ['sender', 'receiver'] as const) recorder.expectTls(party)
    recorder.received(sender)
    recorder.sent(receiver)
    return recorder.conversation
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`sees that a session of ${maxVersion} was made, and its key exchange`, async () => {
      const conversation = overheard(await captured({ key, cert, maxVersion }, {}))
      assert.equal(secured(conversation), true)
      const { version, ephemeral, randoms } = conversation.handshake!
      assert.deepEqual([version, ephemeral], [maxVersion, true])
      assert.match(randoms!.sender!, /^[0-9a-f]{64}$/)
      assert.match(randoms!.receiver!, /^[0-9a-f]{64}$/)
      assert.notEqual(randoms!.sender, randoms!.receiver)
    })

  it('sees that the key exchange was static', async () => {
    const { handshake } = overheard(
      await captured({ key, cert, maxVersion: 'TLSv1.2', ciphers: STATIC }, { ciphers: STATIC }),
    )
    assert.equal(handshake!.suite, 'TLS_RSA_WITH_AES_256_GCM_SHA384')
    assert.deepEqual([handshake!.ephemeral, handshake!.resumed], [undefined, undefined])
  })

  it('sees that a session was resumed, of which nothing can be said', async () => {
    const server = { key, cert, maxVersion: 'TLSv1.2', ticketKeys: Buffer.alloc(48, 1) } as const
    const first = await captured(server, {})
    const again = overheard(await captured(server, { session: first.session! }))
    assert.equal(secured(again), true)
    assert.deepEqual([again.handshake!.ephemeral, again.handshake!.resumed], [undefined, true])
    assert.equal(hadForwardSecrecy([overheard(first)]).kind, 'kept')
    assert.equal(hadForwardSecrecy([overheard(first), again]).kind, 'unclear')
  })

  const FAILURES: Record<string, [server: object, client: object]> = {
    'the versions do not fit': [{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
    'the sender refuses the certificate': [{}, { rejectUnauthorized: true, servername: 'mx.d1.test' }],
    'the sender refuses it in TLS 1.2': [
      { maxVersion: 'TLSv1.2' },
      { rejectUnauthorized: true, servername: 'mx.d1.test' },
    ],
  }
  for (const [what, [server, client]] of Object.entries(FAILURES))
    it(`sees no session where ${what}`, async () => {
      assert.equal(secured(overheard(await captured({ key, cert, ...server }, client))), false)
    })

  // What forward secrecy is about: with the receiver's key, which the lab has, one capture can be read and the other not.
  it('could be read by whoever has the key of the receiver, without forward secrecy alone', async () => {
    const server = { key, cert, maxVersion: 'TLSv1.2' } as const
    const readable = await captured({ ...server, ciphers: STATIC }, { ciphers: STATIC })
    assert.equal(decrypted(readable, key), 'ping')
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384'
    assert.equal(decrypted(await captured({ ...server, ciphers }, { ciphers }), key), undefined)
  })
})

/**
 * What the sender says first in a session of TLS 1.2 with AES-256-GCM, from a capture and the receiver's private key:
 * RFC 5246 s8.1, with the extended master secret of RFC 7627. Nothing where the key does not open it.
 */
function decrypted({ sender, receiver }: Capture, key: string): string | undefined {
  const [mine, theirs] = [messages(sender), messages(receiver)]
  const exchange = mine.find(({ type }) => type === 16)!.body
  const sealed = exchange.subarray(2)
  // A share of an ephemeral exchange is no ciphertext of the key.
  if (exchange.readUInt16BE() !== sealed.length || sealed.length !== 256) return undefined
  // OpenSSL answers wrong padding with random bytes instead of an error; the tag below tells.
  const premaster = privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, sealed)
  const transcript = [
    mine[0]!,
    ...theirs.filter(({ type }) => [2, 11, 14].includes(type)),
    mine.find(({ type }) => type === 16)!,
  ]
  const hash = createHash('sha384')
    .update(Buffer.concat(transcript.map(({ whole }) => whole)))
    .digest()
  const master = prf(premaster, 'extended master secret', hash, 48)
  const randoms = [theirs[0]!, mine[0]!].map(({ body }) => body.subarray(2, 34))
  const block = prf(master, 'key expansion', Buffer.concat(randoms), 72)
  const [secret, salt] = [block.subarray(0, 32), block.subarray(64, 68)]
  const record = records(sender).find(({ type }) => type === 23)!
  const [explicit, body] = [record.body.subarray(0, 8), record.body.subarray(8)]
  const decipher = createDecipheriv('aes-256-gcm', secret, Buffer.concat([salt, explicit]))
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length - 16)
  // It is the second record under these keys: the first is Finished.
  const sequence = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])
  decipher.setAAD(Buffer.concat([sequence, Buffer.from([23, 3, 3]), length]))
  decipher.setAuthTag(body.subarray(-16))
  return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]).toString()
}

/** RFC 5246 s5, with the hash of the suite. */
function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const hmac = (...parts: Buffer[]) => createHmac('sha384', secret).update(Buffer.concat(parts)).digest()
  const input = Buffer.concat([Buffer.from(label), seed])
  const blocks: Buffer[] = []
  for (let a = hmac(input); blocks.length * 48 < length; a = hmac(a)) blocks.push(hmac(a, input))
  return Buffer.concat(blocks).subarray(0, length)
}

function records(bytes: Buffer): { type: number; body: Buffer }[] {
  const found: { type: number; body: Buffer }[] = []
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 3)
    found.push({ type: bytes[at]!, body: bytes.subarray(at + 5, at + 5 + length) })
    at += 5 + length
  }
  return found
}

/** Handshake messages in clear. */
function messages(bytes: Buffer): { type: number; body: Buffer; whole: Buffer }[] {
  const all = records(bytes)
  const end = all.findIndex(({ type }) => type === 20)
  const text = Buffer.concat(all.slice(0, end).flatMap(({ type, body }) => (type === 22 ? [body] : [])))
  const found: { type: number; body: Buffer; whole: Buffer }[] = []
  for (let at = 0; at + 4 <= text.length; ) {
    const length = text.readUIntBE(at + 1, 3)
    const whole = text.subarray(at, at + 4 + length)
    found.push({ type: whole[0]!, body: whole.subarray(4), whole })
    at += 4 + length
  }
  return found
}
