import assert from 'node:assert/strict'
import { GatewayFailure } from '../gateway-failure.ts'
import { Pki } from '../pki/pki.ts'
import type { Defects } from '../reference/defects.ts'
import { reference } from '../reference/gateway.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run, withRun } from '../run/run.ts'
import { loadCatalogue } from '../verdicts/catalogue.ts'
import { loadFeatures, select } from '../verdicts/features.ts'
import { arrivesOverTls, isHeldBack } from '../verdicts/judgements/outbound.ts'
import type { GatewaySource } from './gateway.ts'
import type { Sent } from './sending.ts'

/** Where the second server has a fault, nothing is the gateway's: the same requirements as with a good one. */
const WANTED = ['EXO-S2S-01', 'EXO-S2S-02', 'EXO-S2S-03', 'EXO-S2S-04', 'EXO-S2S-05']

describe('two gateways', function () {
  this.timeout(60_000)
  const pki = new Pki()
  const catalogue = loadCatalogue()

  async function judged(peer: GatewaySource | undefined, requirements = WANTED) {
    const source = { ...reference(), ...(peer ? { peers: { 'the same kind': () => peer } } : {}) } as const
    const run = await Run.start({ source, pki, aftermath: 100 })
    try {
      const rules = select(loadFeatures(catalogue), catalogue, { requirements, tags: 'not @mixed-pair' })
      await withRun(run, () => judgeAll(run, rules, 4))
      return run.verdicts
    } finally {
      await run.stop()
    }
  }
  /** A second server with faults, or with another mail flow than it is told. */
  const peer = (
    defects: Defects,
    change: Parameters<GatewaySource['start']>[0] | object = {},
  ): GatewaySource => ({
    ...reference(),
    start: flow => reference(defects).start({ ...flow, ...change }),
  })

  it('keep everything when both are good', async () => {
    const verdicts = await judged(undefined)
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict !== 'conformant'),
      [],
    )
    for (const { detail } of verdicts) assert.match(detail, /^reference to reference: /)
  })

  const FAULTS: Record<string, GatewaySource> = {
    'takes mail of nobody': peer({ receiver: { refusesEverything: true } }),
    'has no TLS': peer({}, { identity: { key: '', certificate: '' } }),
    'refuses each message': peer(
      { receiver: { demandsCertificateOfAll: true } },
      {
        inbound: [{ from: '*.else.test', tls: 'required', clientCertificate: 'x.else.test' }],
      },
    ),
    'sends in clear': peer({ sender: { neverStartsTls: true } }),
  }
  for (const [what, source] of Object.entries(FAULTS))
    it(`hold nothing against the gateway when the other one ${what}`, async () => {
      const verdicts = await judged(source)
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === 'non-conformant' || verdict === 'declined'),
        [],
      )
      assert.ok(verdicts.length > 10)
    })

  it('hold nothing against the gateway when the other one shows another certificate than its own', async () => {
    const identity = await pki.issue({ names: ['somebody.else.test'], usage: 'server' })
    const source: GatewaySource = {
      ...reference(),
      async start(flow) {
        const gateway = await reference().start({ ...flow, identity })
        return Object.defineProperty(gateway, 'flow', { value: flow })
      },
    }
    const verdicts = await judged(source)
    const [control] = verdicts.filter(one => one.requirement === 'EXO-S2S-01' && one.control)
    assert.equal(control?.verdict, 'inconclusive')
    assert.match(control!.detail, /the second server .*another certificate/)
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict === 'non-conformant' || verdict === 'declined'),
      [],
    )
  })

  it('are a fault of the lab when the other one does not come up', async () => {
    const source: GatewaySource = {
      ...reference(),
      start: async () => {
        throw new GatewayFailure('it does not come up')
      },
    }
    const verdicts = await judged(source, ['EXO-S2S-01'])
    assert.ok(verdicts.length > 0)
    for (const { verdict, detail } of verdicts) {
      assert.equal(verdict, 'lab-error')
      assert.match(detail, /GatewayFailure: it does not come up/)
    }
  })

  it('are a fault of the lab when the other one goes away', async () => {
    const source: GatewaySource = {
      ...reference(),
      start: async flow => {
        const gateway = await reference().start(flow)
        await gateway.stop()
        return gateway
      },
    }
    const verdicts = await judged(source, ['EXO-S2S-05'])
    const sending = verdicts.filter(({ seen }) =>
      seen.steps.some(step => /the gateway (sends|tries)/.test(step)),
    )
    assert.ok(sending.length > 5)
    for (const { verdict } of sending) assert.equal(verdict, 'lab-error')
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict === 'non-conformant'),
      [],
    )
  })

  it('leave open what became of a message that the second server took and did not bring on', () => {
    const sent = {
      arrivals: [],
      conversations: [],
      word: [{ kind: 'delivered', recipient: 'a@b.test', reason: '250' }],
      excuse: 'the second server lost it',
      message: { token: 'token' },
      partner: {},
    } as unknown as Sent
    assert.equal(arrivesOverTls(sent).kind, 'unclear')
    assert.equal(isHeldBack(sent).kind, 'unclear')
  })
})
