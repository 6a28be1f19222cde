import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import { Pki } from '../../pki/pki.ts'
import { captured } from '../../test-bed/fixtures/loopback.ts'
import { FlightReader, type ServerFlight } from './server-flight.ts'

const read = (pieces: readonly Buffer[]): ServerFlight => {
  const reader = new FlightReader()
  for (const piece of pieces) reader.read(piece)
  return reader.flight
}

describe('the answer of a server to a ClientHello', () => {
  const pki = new Pki()
  let server: TlsOptions
  before(async () => {
    const { key, certificate } = await pki.issue({ names: ['mx.d1.test'], usage: 'server' })
    server = { key, cert: certificate }
  })
  const flightOf = async (options: TlsOptions, client = {}) =>
    (await captured({ ...server, ...options }, client)).receiver

  it('has certificate, curve and signature up to TLS 1.2', async () => {
    const flight = read([await flightOf({ maxVersion: 'TLSv1.2', ecdhCurve: 'P-384' })])
    assert.equal(flight.hello?.version, 'TLSv1.2')
    assert.equal(flight.keyExchange?.group, 'P-384')
    assert.match(flight.keyExchange!.signature!, /sha\d+$/)
    assert.match(new X509Certificate(flight.certificates[0]!).subjectAltName!, /mx\.d1\.test/)
  })

  it('has the size of a finite field', async () => {
    const bytes = await flightOf(
      { maxVersion: 'TLSv1.2', dhparam: 'auto', ciphers: 'DHE-RSA-AES128-GCM-SHA256' },
      { ciphers: 'DHE-RSA-AES128-GCM-SHA256' },
    )
    const { keyExchange } = read([bytes])
    assert.equal(keyExchange?.dhBits, keyExchange!.dhPrime!.length * 4)
    assert.ok(keyExchange.dhBits! >= 2048)
    assert.equal(keyExchange.group, undefined)
  })

  it('is the same wherever the bytes are cut', async () => {
    for (const bytes of [
      await flightOf({ maxVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }),
      await flightOf({ ecdhCurve: 'P-384' }, { ecdhCurve: 'X25519:P-384' }),
      await flightOf({ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }),
    ]) {
      const whole = read([bytes])
      for (let cut = 1; cut < bytes.length; cut++)
        assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), whole)
      assert.deepEqual(read(Array.from(bytes, byte => Buffer.from([byte]))), whole)
    }
  })

  it('is a refusal where a fatal alert comes', async () => {
    const { alert, hello } = read([await flightOf({ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' })])
    assert.equal(alert, 70)
    assert.equal(hello, undefined)
  })

  const record = (type: number, body: string) => {
    const bytes = Buffer.from(body, 'hex')
    return Buffer.concat([Buffer.from([type, 3, 3, bytes.length >> 8, bytes.length & 255]), bytes])
  }
  const BAD: Record<string, [bytes: Buffer, malformed: RegExp | undefined]> = {
    'text in place of TLS': [Buffer.from('220 hello\r\n'), /^no TLS record$/],
    'a ServerHello that is too short': [record(22, '02000004030300aa'), /^wrong lengths .* type 2$/],
    'a certificate before the ServerHello': [record(22, '0b000003000000'), /type 11 before the ServerHello/],
    'a warning': [record(21, '0170'), undefined],
    'half a header': [Buffer.from([22, 3]), undefined],
  }
  for (const [what, [bytes, malformed]] of Object.entries(BAD))
    it(`says what is wrong with ${what}`, () => {
      const flight = read([bytes])
      if (malformed) assert.match(flight.malformed!, malformed)
      else assert.deepEqual(flight, { certificates: [] })
    })

  it('has an end, however much comes', () => {
    const reader = new FlightReader()
    for (let i = 0; i < 100 && !reader.done; i++)
      reader.read(Buffer.concat(Array.from({ length: 50 }, () => record(21, '0170'.padEnd(4)))))
    assert.equal(reader.done, false)
    for (let i = 0; i < 10; i++) reader.read(record(20, '01'.repeat(16_000)))
    assert.match(reader.flight.malformed!, /more than \d+ bytes/)
  })

  it('is known as SSL 2 by its header', () => {
    const hello = Buffer.from('8021040001000200000003001000'.padEnd(70, '0'), 'hex')
    assert.equal(read([hello]).ssl2, true)
    assert.equal(read([hello.subarray(0, 1), hello.subarray(1)]).ssl2, true)
  })
})
