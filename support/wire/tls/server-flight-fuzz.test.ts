import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Pki } from '../../pki/pki.ts'
import { captured } from '../../test-bed/fixtures/loopback.ts'
import { FlightReader } from './server-flight.ts'

/** In ms; with MAIL_TLS_FUZZ longer. */
const TIME = Number(process.env['MAIL_TLS_FUZZ'] ?? 1_500)
const LEAST = 500

/** Numbers below `limit` that are the same in every run. */
function numbers(seed: string): (limit: number) => number {
  let state = createHash('sha256').update(seed).digest()
  return limit => {
    state = createHash('sha256').update(state).digest()
    return state.readUInt32BE(0) % limit
  }
}

/** One change of a flight: a byte, a bit, a cut, a piece twice, a piece elsewhere, or a length that lies. */
function mutated(bytes: Buffer, next: (limit: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = next(copy.length)
  const to = at + next(Math.min(64, copy.length - at)) + 1
  const changes: (() => Buffer)[] = [
    () => copy.fill(next(256), at, at + 1),
    () => copy.fill(copy[at]! ^ (1 << next(8)), at, at + 1),
    () => copy.subarray(0, at),
    () => Buffer.concat([copy.subarray(0, to), copy.subarray(at)]),
    () => Buffer.concat([copy.subarray(at), copy.subarray(0, at)]),
    () => copy.fill([0, 0xff, 0x7f][next(3)]!, at, Math.min(at + 1 + next(3), copy.length)),
  ]
  return changes[next(changes.length)]!()
}

describe('the reader of what servers answer', () => {
  it(`throws at nothing, and always ends, for ${TIME / 1000} s of changed flights`, async function () {
    this.timeout(TIME + 30_000)
    const { key, certificate } = await new Pki().issue({ names: ['mx.d1.test'], usage: 'server' })
    const server = { key, cert: certificate }
    const dhe = { ciphers: 'DHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const
    const corpus = await Promise.all([
      captured({ ...server, maxVersion: 'TLSv1.2' }, {}),
      captured({ ...server, ...dhe, dhparam: 'auto' }, dhe),
      captured({ ...server, maxVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false }, {}),
      captured({ ...server, ecdhCurve: 'P-384' }, { ecdhCurve: 'X25519:P-384' }),
      captured({ ...server, minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }),
    ])
    const next = numbers('flights')
    const until = performance.now() + TIME
    let [inputs, malformed] = [0, 0]
    while (performance.now() < until) {
      let bytes = corpus[next(corpus.length)]!.receiver
      for (let changes = 1 + next(4); changes > 0 && bytes.length > 0; changes--) bytes = mutated(bytes, next)
      const reader = new FlightReader()
      const cut = next(bytes.length + 1)
      try {
        reader.read(bytes.subarray(0, cut))
        reader.read(bytes.subarray(cut))
      } catch (error) {
        assert.fail(`${(error as Error).stack}\n${bytes.toString('hex')}`)
      }
      inputs++
      if (reader.flight.malformed) malformed++
    }
    assert.ok(inputs > LEAST && malformed > LEAST / 10, `${inputs} inputs, ${malformed} malformed`)
    console.log(`      ${inputs} inputs, ${malformed} of them malformed`)
  })
})
