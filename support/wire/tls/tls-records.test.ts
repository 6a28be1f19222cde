import assert from 'node:assert/strict'
import { Pki } from '../../pki/pki.ts'
import { type Capture, captured } from '../../test-bed/fixtures/loopback.ts'
import { detailText } from '../event-detail.ts'
import { RecordReader, type TlsSighting } from './tls-records.ts'

describe('reading TLS records', () => {
  const pki = new Pki()
  const client = { servername: 'mx.d1.test', ecdhCurve: 'X25519:P-384' }
  const sessions: Record<string, Capture> = {}

  before(async () => {
    const { key, certificate } = await pki.issue({ names: ['mx.d1.test'], usage: 'server' })
    const server = { key, cert: certificate }
    const asking = { ...server, requestCert: true, rejectUnauthorized: false }
    const [tls12, tls13, retried, refused] = await Promise.all([
      captured({ ...asking, maxVersion: 'TLSv1.2' }, client),
      captured(server, client),
      captured({ ...server, ecdhCurve: 'P-384' }, client),
      captured({ ...server, minVersion: 'TLSv1.3' }, { ...client, maxVersion: 'TLSv1.2' }),
    ])
    Object.assign(sessions, { tls12, tls13, retried, refused })
  })

  const read = (bytes: Buffer, pieces = [bytes], reader = new RecordReader()) =>
    pieces.flatMap(piece => reader.read(piece))
  const kinds = (sightings: TlsSighting[]) => sightings.map(({ kind }) => kind)
  const only = <K extends TlsSighting['kind']>(sightings: TlsSighting[], kind: K) =>
    sightings.find((one): one is Extract<TlsSighting, { kind: K }> => one.kind === kind)

  it('tells what a ClientHello offers', () => {
    const { hello } = only(read(sessions['tls13']!.sender), 'client-hello')!
    assert.deepEqual(hello.versions, ['TLSv1.3', 'TLSv1.2'])
    assert.equal(hello.legacyVersion, 'TLSv1.2')
    assert.equal(hello.serverName, 'mx.d1.test')
    assert.deepEqual(hello.groups, ['X25519', 'P-384'])
    assert.ok(hello.suites.includes('TLS_AES_128_GCM_SHA256'))
    assert.ok(hello.suites.includes('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'))
    assert.ok(hello.signatureAlgorithms.includes('rsa_pss_rsae_sha256'))
  })

  it('takes a hello without supported_versions for all versions up to its own', () => {
    const { hello } = only(read(sessions['refused']!.sender), 'client-hello')!
    assert.equal(hello.versions[0], 'TLSv1.2')
    assert.ok(!hello.versions.includes('TLSv1.3'))
  })

  for (const name of ['tls12', 'tls13', 'retried', 'refused'])
    it(`sees the same wherever the bytes are cut: ${name}`, () => {
      for (const bytes of [sessions[name]!.sender, sessions[name]!.receiver]) {
        const whole = read(bytes)
        assert.ok(whole.length > 0)
        for (let cut = 1; cut < bytes.length; cut++)
          assert.deepEqual(read(bytes, [bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at ${cut}`)
        assert.deepEqual(
          read(
            bytes,
            Array.from(bytes, byte => Buffer.from([byte])),
          ),
          whole,
        )
      }
    })

  for (const name of ['tls12', 'tls13'])
    it(`tells what a ServerHello chose, as the library does: ${name}`, () => {
      const { receiver, agreed } = sessions[name]!
      const { version, suite } = only(read(receiver), 'server-hello')!
      assert.deepEqual({ version, suite }, agreed)
    })

  it('finds group and CertificateRequest in the clear part of TLS 1.2', () => {
    const seen = read(sessions['tls12']!.receiver)
    assert.deepEqual(kinds(seen), [
      'server-hello',
      'certificate',
      'server-key-exchange',
      'group',
      'certificate-request',
    ])
    assert.equal(only(seen, 'group')?.group, 'X25519')
  })

  it('finds both hellos of both sides around a HelloRetryRequest', () => {
    const { sender, receiver, agreed } = sessions['retried']!
    const hellos = read(receiver)
    assert.deepEqual(kinds(hellos), ['server-hello', 'server-hello'])
    assert.partialDeepStrictEqual(hellos, [
      { retry: true, group: 'P-384' },
      { retry: false, group: 'P-384', ...agreed },
    ])
    const reader = new RecordReader()
    reader.isTls13()
    assert.deepEqual(kinds(read(sender, [sender], reader)), ['client-hello', 'client-hello'])
  })

  it('names an alert in clear', () => {
    assert.equal(sessions['refused']!.agreed, undefined)
    const alert = { kind: 'alert', level: 2, description: 70 } as const
    assert.deepEqual(read(sessions['refused']!.receiver), [alert])
    assert.equal(detailText(alert), 'fatal alert: protocol_version')
    assert.equal(detailText({ ...alert, level: 1, description: 255 }), 'warning alert: alert 255')
  })

  it('takes nothing of a whole session for anything but TLS', () => {
    for (const { sender, receiver } of Object.values(sessions))
      for (const bytes of [sender, receiver]) assert.equal(only(read(bytes), 'not-tls'), undefined)
  })

  it('sees clear bytes at once, and all that follows them', () => {
    const { sender } = sessions['tls13']!
    const reader = new RecordReader()
    reader.read(sender)
    assert.deepEqual(reader.read(Buffer.from('M')), [{ kind: 'not-tls', bytes: Buffer.from('M') }])
    assert.deepEqual(kinds(reader.read(sender)), ['not-tls'])
  })

  it('sees clear bytes that begin in the middle of a segment', () => {
    const { receiver } = sessions['tls12']!
    const text = Buffer.from('250 smuggled\r\n')
    const seen = read(Buffer.concat([receiver, text]))
    assert.deepEqual(seen.at(-1), { kind: 'not-tls', bytes: text })
  })

  it('takes a record that is longer than any may be for no TLS', () => {
    assert.deepEqual(kinds(read(Buffer.from([22, 3, 3, 0x48, 1]))), ['not-tls'])
    assert.deepEqual(kinds(read(Buffer.from([22, 3, 3, 0x48, 0]))), [])
  })

  it('passes over a hello that lies about its lengths', () => {
    const { sender } = sessions['tls13']!
    const whole = kinds(read(sender))
    assert.deepEqual(whole, ['client-hello'])
    const lying = Buffer.from(sender)
    // Length of the session id: 5 bytes of record header, 4 of message header, 2 of version, 32 of random.
    lying[43] = 255
    assert.deepEqual(kinds(read(lying)), [])
  })
})
