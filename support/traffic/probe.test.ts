import assert from 'node:assert/strict'
import type { Strength } from '../evidence/offer.ts'
import { equallyStrong } from '../judgements/strength.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { ReferenceGateway, reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { addressesOf, strengthAt } from './probe.ts'

describe('the TLS of all addresses', () => {
  const pki = new Pki()
  let flow: MailFlow
  const running: ReferenceGateway[] = []
  before(async () => {
    flow = await standardFlow(reference(), { pki, network: { resolver: '127.0.0.1:9', partnerPort: 9 } })
  })
  afterEach(() => Promise.all(running.splice(0).map(one => one.stop())))

  async function strengthOf(defect: Defect = {}, change: Partial<MailFlow> = {}): Promise<Strength> {
    const gateway = await ReferenceGateway.start({ ...flow, ...change }, defect)
    running.push(gateway)
    return strengthAt(gateway.inbound, { hostname: flow.hostname, trust: [await pki.root()] })
  }

  it('is told probe by probe', async () => {
    const { address, outcomes, conversations } = await strengthOf()
    assert.match(address, /^127\..*:\d+$/)
    assert.match(outcomes['TLS 1.3 alone']!, /^TLSv1\.3, TLS_AES_256_GCM_SHA384, .*certificate good$/)
    assert.match(outcomes['TLS 1.2 alone']!, /^TLSv1\.2, TLS_ECDHE_RSA_WITH_/)
    assert.match(outcomes['key exchange by RSA alone']!, /^TLSv1\.2, TLS_RSA_WITH_/)
    for (const old of ['TLS 1.0 alone', 'TLS 1.1 alone']) assert.match(outcomes[old]!, /^refused/)
    assert.equal(conversations.length, Object.keys(outcomes).length)
  })

  it('is the same for servers that are set up alike', async () => {
    const all = await Promise.all([strengthOf(), strengthOf(), strengthOf()])
    assert.deepEqual(equallyStrong(all), { kind: 'kept', detail: '3 addresses with the same TLS' })
  })

  const WEAKER: Record<string, [defect: Defect, change: () => Promise<Partial<MailFlow>>, says: RegExp]> = {
    'takes old versions': [
      mutant('completes a handshake with TLS 1.0'),
      async () => ({}),
      /TLS 1\.[01] alone, B is the weaker/,
    ],
    'has TLS 1.2 at most': [{}, async () => ({ maxVersion: 'TLSv1.2' }), /TLS 1\.3 alone, B is the weaker/],
    'takes no key exchange by RSA, and so is the stronger': [
      {},
      async () => ({ forwardSecrecy: true }),
      /by RSA alone, A is the weaker/,
    ],
    'has no TLS': [
      {},
      async () => ({ identity: { key: '', certificate: '' } }),
      /its own choice, B is the weaker: .* answers refused \(STARTTLS: 454\)$/,
    ],
    'shows a certificate of another name': [
      {},
      async () => ({ identity: await pki.issue({ names: ['mx.else.test'], usage: 'server' }) }),
      /its own choice, .*certificate good, .*certificate of another name$/,
    ],
    'shows a certificate of nobody': [
      {},
      async () => ({
        identity: await pki.issue({
          names: [flow.hostname],
          usage: 'server',
          flaws: ['from an unknown authority'],
        }),
      }),
      /its own choice, .*certificate good, .*certificate [A-Z_]+$/,
    ],
  }
  for (const [what, [defect, change, says]] of Object.entries(WEAKER))
    it(`differs where one ${what}`, async () => {
      const [one, other] = await Promise.all([strengthOf(), strengthOf(defect, await change())])
      const seen = equallyStrong([
        { ...one, address: 'A' },
        { ...other, address: 'B' },
      ])
      assert.equal(seen.kind, 'broken')
      assert.match(seen.detail, says)
    })

  it('leaves out addresses without a server, and says so', async () => {
    const nobody = await Loopback.start(() => {})
    await nobody.close()
    const absent = await strengthAt(nobody.endpoint, { hostname: flow.hostname, trust: [await pki.root()] })
    assert.equal(absent.absent, true)
    assert.match(
      equallyStrong([await strengthOf(), absent]).detail,
      /^1 address .*; 1 address without a server left out$/,
    )
    assert.equal(equallyStrong([absent]).kind, 'unclear')
  })

  it('looks at every address of a name', async () => {
    assert.deepEqual(await addressesOf({ host: '127.0.0.1', port: 25 }), [{ host: '127.0.0.1', port: 25 }])
    assert.deepEqual(await addressesOf({ host: '::1', port: 25 }), [{ host: '::1', port: 25 }])
  })
})
