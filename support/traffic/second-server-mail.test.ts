import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import type { Handover } from '../evidence/handover.ts'
import type { Sent } from '../evidence/sent.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { accepts } from '../judgements/inbound.ts'
import { arrivesOverTls, doesNotArrive } from '../judgements/outbound.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { isFromServer } from '../reference/mutants/shared.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'

/** Where the second server has a fault, nothing is the gateway's: the same requirements as with a good one. */
const WANTED = ['EXO-S2S-01', 'EXO-S2S-02', 'EXO-S2S-03', 'EXO-S2S-04', 'EXO-S2S-05']

describe('two gateways', function () {
  this.timeout(60_000)
  const pki = new Pki()
  const catalogue = loadCatalogue()

  async function judged(
    peer: GatewaySource | undefined,
    requirements = WANTED,
    gateway: Partial<GatewaySource> = reference(),
  ) {
    const source = {
      ...reference(),
      ...gateway,
      ...(peer ? { secondServers: { 'the same kind': () => peer } } : {}),
    } as const
    const run = await Run.start({ source, pki, aftermath: 100 })
    try {
      const rules = select(loadFeatures(catalogue), catalogue, { requirements })
      await withRun(run, () => judgeAll(run, rules, 4))
      // There is no second server of another kind.
      return run.verdicts.filter(({ verdict }) => verdict !== 'inapplicable')
    } finally {
      await run.stop()
    }
  }
  /** A second server with faults, or with another mail flow than it is told. */
  const peer = (
    defect: Defect,
    change: Parameters<GatewaySource['start']>[0] | object = {},
  ): GatewaySource => ({
    ...reference(),
    start: flow => reference(defect).start({ ...flow, ...change }),
  })

  it('keep everything when both are good', async () => {
    const verdicts = await judged(undefined)
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict !== 'conformant'),
      [],
    )
    for (const { detail } of verdicts) assert.match(detail, /^reference to reference: /)
  })

  /** How often the second server still has a bad moment. */
  let moments = 1
  const FAULTS: Record<string, GatewaySource> = {
    'takes mail of nobody': peer(mutant('refuses everybody')),
    'has no TLS': peer({}, { identity: { key: '', certificate: '' } }),
    'refuses each message': peer(mutant('demands the certificate of a partner from everybody'), {
      inbound: [{ from: '*.else.test', tls: 'required', clientCertificate: 'x.else.test' }],
    }),
    'sends in clear': peer(mutant('sends MAIL right after the first EHLO')),
    'refuses mail without return path': peer({
      receiver: {
        refusalOfSender: (at, correct) =>
          isFromServer(at) && at.nullSender ? '550 5.7.1 No bounces' : correct,
      },
    }),
    'has one bad moment': peer({
      receiver: {
        replyInstead: ({ verb }, correct) =>
          verb === 'RCPT' && moments-- > 0 ? '451 4.3.2 Not now' : correct,
      },
    }),
    'tires after a message': peer(mutant('refuses everybody after its first message')),
  }
  for (const [what, source] of Object.entries(FAULTS))
    it(`hold nothing against the gateway when the second server ${what}`, async () => {
      const verdicts = await judged(source)
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === 'non-conformant' || verdict === 'declined'),
        [],
      )
      assert.ok(verdicts.length > 10)
    })

  it('hold nothing against the gateway when the second server shows another certificate than its own', async () => {
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

  const broken = (verdicts: Awaited<ReturnType<typeof judged>>) =>
    verdicts.filter(({ verdict }) => verdict === 'non-conformant' || verdict === 'lab-error')
  const between = (verdicts: Awaited<ReturnType<typeof judged>>) =>
    verdicts.filter(({ detail }) => /^reference (to|and) reference: /.test(detail))

  const WORDS: Record<string, [name: string, requirement: string]> = {
    'says in a header that the message is protected': [
      'calls the message encrypted end to end in a header',
      'EXO-MSG-06',
    ],
    'adds a Received line of its own': ['labels the next hop as encrypted', 'EXO-MSG-02'],
    'claims TLS in all of its Received lines': [
      'writes a constant TLS text in its Received line',
      'EXO-MSG-02',
    ],
  }
  for (const [what, [name, requirement]] of Object.entries(WORDS))
    it(`hold nothing against the gateway when the second server ${what}`, async () => {
      const verdicts = between(await judged(peer(mutant(name)), [requirement]))
      assert.deepEqual(new Set(verdicts.map(({ verdict }) => verdict)), new Set(['conformant']))
    })

  it('hold nothing against the gateway when the second server wants TLS where somebody removes it', async () => {
    const verdicts = between(await judged(peer(mutant('answers 530 to MAIL from everybody')), ['EXO-MSG-02']))
    const stripped = verdicts.filter(({ control }) => !control)
    assert.deepEqual(
      stripped.map(({ verdict }) => verdict),
      ['inconclusive'],
    )
    assert.match(stripped[0]!.detail, /the second server refused the message: 530/)
  })

  it('hold nothing against a gateway without such a connector when the second server sends in clear', async () => {
    const lacks: GatewaySource['lacks'] = capability =>
      capability === 'inbound-required' || capability === 'client-certificates' ? 'not built in' : undefined
    const verdicts = await judged(peer(mutant('sends MAIL right after the first EHLO')), WANTED, { lacks })
    assert.deepEqual(broken(verdicts), [])
  })

  it('do not claim anything from silence', async () => {
    const verdicts = await judged(undefined, ['EXO-S2S-03'], {
      start: reference({
        receiver: { replyInstead: (at, correct) => (isFromServer(at) && at.tls ? '' : correct) },
      }).start,
    })
    assert.deepEqual(broken(verdicts), [])
    assert.ok(
      verdicts.some(
        ({ verdict, detail }) =>
          verdict === 'inconclusive' &&
          /does not accept the mail of others either: at EHLO: no answer/.test(detail),
      ),
    )
  })

  it('are no fault of the lab where the gateway says too much', async () => {
    const verdicts = await judged(undefined, ['EXO-S2S-05'], {
      start: reference({
        receiver: {
          keywords: (at, correct) =>
            isFromServer(at) ? [...correct, ...Array.from({ length: 250 }, (_, i) => `X-${i}`)] : correct,
        },
      }).start,
    })
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict === 'lab-error'),
      [],
    )
  })

  it('see mail that is given to somebody on the path, whatever the second server makes of it', async () => {
    const verdicts = await judged(peer(mutant('refuses everybody after its first message')), ['EXO-S2S-05'], {
      start: reference(mutant('accepts self-signed certificates')).start,
    })
    const swapped = verdicts.find(({ title }) => /certificate of its own/.test(title))
    assert.equal(swapped?.verdict, 'non-conformant')
  })

  it('go on when a second server cannot be stopped', async () => {
    let failed = false
    const stubborn: GatewaySource = {
      ...reference(),
      async start(flow) {
        const gateway = await reference().start(flow)
        const stop = gateway.stop.bind(gateway)
        gateway.stop = async () => {
          await stop()
          if (failed) return
          failed = true
          throw new GatewayFailure('it cannot be stopped')
        }
        return gateway
      },
    }
    const verdicts = await judged(stubborn, ['EXO-S2S-01', 'EXO-S2S-03', 'TRC-01'], { remembers: true })
    assert.deepEqual(
      broken(verdicts).map(({ verdict, detail }) => [verdict, detail]),
      [['lab-error', 'it cannot be stopped']],
    )
  })

  it('are a fault of the lab when the second server does not come up', async () => {
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

  it('are a fault of the lab when the second server goes away', async () => {
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

  it('judge every session on the path, since the message may have come in any', () => {
    const leg = (version: string) => ({
      overheard: true,
      receiver: 'path.b.test',
      clear: { fromSender: '', fromReceiver: '' },
      handshake: { version, suite: 'suite' },
      events: [{ kind: 'established', secured: true, from: 'receiver', text: '' }],
    })
    const sent = {
      arrivals: [{ secured: true, host: 'path.b.test' }],
      conversations: [leg('TLSv1.3'), leg('TLSv1.2')],
      deliveryEvents: [],
      message: { token: 'token' },
      partner: {},
    } as unknown as Sent
    assert.equal(arrivesOverTls(sent).kind, 'kept')
    assert.equal(arrivesOverTls(sent, { version: 'TLSv1.2' }).kind, 'broken')
    const handover = {
      ...sent,
      accepted: true,
      stage: 'content',
      reply: { text: '250' },
    } as unknown as Handover
    assert.equal(accepts(handover, { version: 'TLSv1.2' }).kind, 'broken')
  })

  it('leave open what became of a message that the second server took and did not bring on', () => {
    const sent = {
      arrivals: [],
      conversations: [],
      deliveryEvents: [{ kind: 'delivered', recipient: 'a@b.test', reason: '250' }],
      excuse: 'the second server lost it',
      message: { token: 'token' },
      partner: {},
    } as unknown as Sent
    assert.equal(arrivesOverTls(sent).kind, 'unclear')
    assert.equal(doesNotArrive(sent).kind, 'unclear')
  })
})
