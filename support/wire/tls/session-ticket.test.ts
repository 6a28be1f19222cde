import assert from 'node:assert/strict'
import { Pki } from '../../pki/pki.ts'
import { captured } from '../../test-bed/fixtures/loopback.ts'
import { maxEarlyData, withUnknownTicket } from './session-ticket.ts'

describe('the early data that a session allows', () => {
  const der = (tag: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts)
    const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
    return Buffer.concat([Buffer.from([tag, ...length]), body])
  }
  const version = der(0x02, Buffer.from([1]))
  const key = der(0x04, Buffer.alloc(200, 7))
  const early = der(0xaf, der(0x02, Buffer.from('4000', 'hex')))

  const SESSIONS: Record<string, [session: Buffer, bytes: number | undefined]> = {
    'a session with early data': [der(0x30, version, key, early), 0x4000],
    'a short session': [der(0x30, version, early), 0x4000],
    'a session behind a note of Node': [
      Buffer.concat([Buffer.from('\0nodejs:tls:session:1\0\0\0\tlocalhost'), der(0x30, version, key, early)]),
      0x4000,
    ],
    'a session without early data': [der(0x30, version, key), 0],
    'a session that is cut': [der(0x30, version, key, early).subarray(0, -1), undefined],
    'other bytes': [Buffer.from('no session'), undefined],
    'no bytes': [Buffer.alloc(0), undefined],
  }
  for (const [what, [session, bytes]] of Object.entries(SESSIONS))
    it(`is read in ${what}`, () => {
      assert.equal(maxEarlyData(session), bytes)
    })

  it('is the same with a ticket that nobody knows', () => {
    const ticket = der(0xaa, der(0x04, Buffer.from('name of the key  and the rest')))
    const session = der(0x30, version, key, ticket, early)
    const other = withUnknownTicket(session)
    assert.equal(maxEarlyData(other), 0x4000)
    const differing = session.map((byte, at) => byte ^ other[at]!).filter(byte => byte > 0)
    assert.deepEqual([...differing], Array(16).fill(0xff))
    assert.ok(other.includes(' and the rest'))
    assert.deepEqual(withUnknownTicket(der(0x30, version, key)), der(0x30, version, key))
  })

  it('is none in a session of Node', async () => {
    const { key, certificate } = await new Pki().issue({ names: ['mx.d1.test'], usage: 'server' })
    const { session } = await captured({ key, cert: certificate }, { minVersion: 'TLSv1.3' })
    assert.equal(maxEarlyData(session!), 0)
  })
})
