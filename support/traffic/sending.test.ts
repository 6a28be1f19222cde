import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Sent } from '../evidence/sent.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { ReferenceGateway, reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { until } from '../wire/until.ts'
import { compose } from './message.ts'
import { type SendOptions, sendAndWatch } from './sending.ts'
import { Submission } from './submit-message.ts'

const NO_TLS: Behaviour = { starttls: { hides: true } }

describe('a message that the gateway is asked to send', () => {
  const pki = new Pki()
  const lab = new LoopbackLab(pki)
  const ends: (() => unknown)[] = []
  before(() => lab.start())
  after(() => lab.stop())
  afterEach(() => Promise.all(ends.splice(0).map(end => end())))

  async function started(defect: Defect = {}): Promise<ReferenceGateway> {
    const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
    const flow = await standardFlow(reference(), { pki, network })
    const gateway = await ReferenceGateway.start(flow, defect)
    ends.push(() => gateway.stop())
    return gateway
  }
  const partner = (pattern: string, ...hosts: Behaviour[]) =>
    lab.partner({ domain: lab.freshDomain(pattern), hosts: hosts.length > 0 ? hosts : [{}] })
  const messageTo = (...partners: Partner[]) =>
    compose({ from: 'probe@gateway.test', to: partners.map(({ domain }) => `inbox@${domain}`) })

  async function watched(gateway: Gateway, partners: Partner[], how: Partial<SendOptions> = {}) {
    const submission = new Submission(gateway.submission, gateway.flow.hostname)
    ends.push(() => submission.close())
    return sendAndWatch({ gateway, submission, message: messageTo(...partners), partners, ...how })
  }
  const sent = async (...how: Parameters<typeof watched>) => (await watched(...how)).map(one => one.seen())

  it('arrives, and what the wire and the gateway say of it is together', async () => {
    const to = await partner('*.forced.test')
    const [one] = await sent(await started(), [to])
    assert.equal(one!.heard, true)
    assert.deepEqual(
      one!.arrivals.map(({ secured, host, content }) => [
        secured,
        host,
        content.includes(one!.message.token),
      ]),
      [[true, `mx.${to.domain}`, true]],
    )
    assert.equal(one!.conversations[0]?.closed, true)
    assert.equal(one!.refusal, undefined)
    assert.equal(one!.attempts, 1)
  })

  it('is held back at the gateway’s own word', async () => {
    const to = await partner('*.forced.test', NO_TLS)
    const [one] = await sent(await started(), [to])
    assert.deepEqual(
      [one!.heard, one!.arrivals, one!.deliveryEvents.map(({ kind, recipient }) => [kind, recipient])],
      [true, [], [['deferred', `inbox@${to.domain}`]]],
    )
  })

  it('is tried as often as was asked for, and no more once it has arrived', async () => {
    const gateway = await started()
    const [stubborn] = await sent(gateway, [await partner('*.forced.test', NO_TLS)], { tries: 3 })
    assert.deepEqual([stubborn!.attempts, stubborn!.deliveryEvents.length], [3, 3])
    const cured = await partner('*.forced.test', { ...NO_TLS, times: 1 })
    const [one] = await sent(gateway, [cured], { tries: 3 })
    assert.deepEqual([one!.attempts, one!.arrivals.length], [2, 1])
  })

  it('has a fate of its own at each partner', async () => {
    const partners = [await partner('*.opportunistic.test', NO_TLS), await partner('*.forced.test', NO_TLS)]
    const [clear, held] = await sent(await started(), partners)
    assert.deepEqual(
      clear!.arrivals.map(({ secured }) => secured),
      [false],
    )
    assert.deepEqual([held!.arrivals, held!.deliveryEvents[0]?.kind], [[], 'deferred'])
  })

  it('has a fate of its own for each recipient at one partner', async () => {
    const to = await partner('*.forced.test', NO_TLS)
    const message = compose({
      from: 'probe@gateway.test',
      to: ['first', 'second'].map(local => `${local}@${to.domain}`),
    })
    const gateway = await started({
      queue: { sendsApart: () => true },
      sender: { mayGoInClear: ({ recipients }) => recipients.some(one => one.startsWith('second@')) },
    })
    const [first, ...more] = await sent(gateway, [to], { message, tries: 2 })
    assert.deepEqual(more, [])
    const [second] = first!.copies!
    assert.deepEqual([first!.recipient, second!.recipient], message.to)
    assert.deepEqual([first!.arrivals.length, first!.attempts], [0, 2])
    assert.deepEqual(
      second!.arrivals.map(({ secured }) => secured),
      [false],
    )
  })

  it('is not confused with an earlier message to the same recipient', async () => {
    const gateway = await started()
    const to = await partner('*.forced.test', { ...NO_TLS, times: 1 })
    await sent(gateway, [to])
    const [later] = await sent(gateway, [to])
    assert.equal(later!.deliveryEvents.filter(({ kind }) => kind === 'deferred').length, 0)
    assert.equal(later!.arrivals.length, 1)
  })

  it('shows copies and words that come when nobody waits any more', async () => {
    const gateway = await started()
    const to = await partner('*.forced.test', { ...NO_TLS, times: 1 })
    const [one] = await watched(gateway, [to])
    const before = one!.seen()
    await gateway.retry(to.domain)
    assert.ok(
      await until(() => one!.arrivals.length > 0 && one!.deliveryEvents.length > 1, [to, gateway], 10_000),
    )
    assert.deepEqual([before.arrivals, before.conversations.length, before.deliveryEvents.length], [[], 1, 1])
    const after = one!.seen()
    assert.deepEqual(
      [after.arrivals.length, after.conversations.length, after.deliveryEvents.length],
      [1, 2, 2],
    )
  })

  it('is seen as plain data', async () => {
    const [one] = await sent(await started(), [await partner('*.opportunistic.test')], { tls: {} })
    assert.deepEqual(JSON.parse(JSON.stringify(one)), one)
  })

  it('goes in over TLS where that is asked for, with the record of it', async () => {
    const [one] = await sent(await started(), [await partner('*.opportunistic.test')], { tls: {} })
    assert.equal(one!.submission?.handshake?.version, 'TLSv1.3')
    assert.equal(one!.arrivals.length, 1)
  })

  it('is refused where the gateway does not take it', async () => {
    const gateway = await started(mutant('refuses everybody'))
    const [one] = await sent(gateway, [await partner('*.opportunistic.test')])
    assert.equal(one!.heard, false)
    assert.match(one!.refusal!, /554|closed/)
  })

  it('is refused where nobody listens', async () => {
    const gateway = await started()
    await gateway.stop()
    const [one] = await sent(gateway, [await partner('*.opportunistic.test')])
    assert.match(one!.refusal!, /no connection/)
  })

  it('gives no sign where the gateway neither sends nor speaks, after its patience', async () => {
    const gateway = Object.assign(await started(mutant('takes mail, sends nothing and says nothing')), {
      patience: 30,
    })
    const [one] = await sent(gateway, [await partner('*.opportunistic.test')])
    assert.deepEqual([one!.heard, one!.arrivals, one!.deliveryEvents, one!.lost], [false, [], [], undefined])
  })

  describe('to a gateway that says nothing of its queue', () => {
    /** In ms. */
    const SETTLE = 40
    const silent = async (defect?: Defect): Promise<Gateway> => {
      const { kind, name, version, library, flow, inbound, submission } = await started(defect)
      return {
        ...{ kind, name, version, library, flow, inbound, submission, settle: SETTLE },
        ...{ events: [], watch: () => () => {}, sessions: () => [], log: () => [] },
        ...{ retry: async () => {}, change: async () => {}, stop: async () => {} },
      }
    }

    it('counts as held back after quiet at the end of a session', async () => {
      const began = performance.now()
      const [one] = await sent(await silent(), [await partner('*.forced.test', NO_TLS)])
      assert.deepEqual([one!.heard, one!.quiet, one!.arrivals], [true, SETTLE, []])
      assert.ok(performance.now() - began >= SETTLE - 1)
    })

    it('lets others have the addresses before the quiet is over, and not where it arrives', async () => {
      const gateway = { ...(await silent()), settle: 600 }
      const handedOn = async (pattern: string) => {
        const began = performance.now()
        const times: number[] = []
        const to = await partner(pattern, NO_TLS)
        const [one] = await sent(gateway, [to], { handOn: () => times.push(performance.now() - began) })
        return { one: one!, times, ms: performance.now() - began }
      }
      const held = await handedOn('*.forced.test')
      assert.equal(held.one.quiet, 600)
      assert.equal(held.times.length, 1)
      assert.ok(held.times[0]! >= 200 && held.ms - held.times[0]! >= 300)
      assert.deepEqual((await handedOn('*.opportunistic.test')).times, [])
    })

    it('counts as held back beside connections that name nobody, where earlier mail may come again', async () => {
      const to = await partner('*.forced.test', NO_TLS)
      to.shared = true
      let others = 0
      const sending = sent({ ...(await silent()), settle: 300 }, [to])
      const isOver = sending.then(() => true)
      const again = async () => {
        const link = connect({ host: to.hosts[0]!.address, port: lab.port })
        link.once('data', () => link.end('EHLO mx.gateway.test\r\nQUIT\r\n'))
        await Promise.all([once(link, 'close'), pause(100)])
        return false
      }
      while (!(await Promise.race([isOver, again()]))) others++
      assert.deepEqual([(await sending)[0]!.quiet, others > 0, to.flooded], [300, true, false])
    })

    it('does not hand them on from a gateway that has come again', async () => {
      const gateway = { ...(await silent()), settle: 300 }
      let count = 0
      const send = async () => {
        const to = await partner('*.forced.test', NO_TLS)
        const handOn = () => {
          count++
          to.misrouted = 'the gateway came again'
        }
        return (await sent(gateway, [to], { handOn }))[0]!
      }
      assert.equal((await send()).excuse, 'the gateway came again')
      assert.equal((await send()).excuse, undefined)
      assert.equal(count, 1)
    })

    it('arrives at its second attempt within that time', async () => {
      const to = await partner('*.opportunistic.test', { handshake: 'closes', times: 1 })
      const [one] = await sent(await silent(), [to])
      assert.deepEqual([one!.quiet, one!.arrivals.length], [undefined, 1])
      assert.ok(one!.conversations.every(({ closed }) => closed))
    })
  })

  describe('to a gateway whose queue can be looked into', () => {
    /** Waits are read from the environment once, and here they are short: a thread has modules and environment of its own. */
    async function sentIn(queue: 'has it' | 'has it not') {
      const worker = new Worker(QUEUE_LOOKED_INTO, {
        eval: true,
        env: { ...process.env, MAIL_TLS_PATIENCE: '100' },
        workerData: { support: new URL('..', import.meta.url).href, holds: queue === 'has it' },
      })
      ends.push(() => worker.terminate())
      return (await once(worker, 'message'))[0] as Pick<Sent, 'heard' | 'lost'> & { arrivals: number }
    }

    it('is lost where that has it no more, and nothing was heard', async () => {
      const lost = await sentIn('has it not')
      assert.deepEqual(lost, { heard: false, lost: true, arrivals: 0 })
    })

    it('is not lost as long as that has it', async () => {
      const waiting = await sentIn('has it')
      assert.deepEqual(waiting, { heard: false, lost: undefined, arrivals: 0 })
    })
  })
})

const QUEUE_LOOKED_INTO = `
const { parentPort, workerData: { support, holds } } = require('node:worker_threads')
const load = path => import(support + path)
async function main() {
  const [{ send }, { Submission }, { standardFlow }, { reference, ReferenceGateway }, { LoopbackLab }, { Pki }, { compose }] =
    await Promise.all(['traffic/sending.ts', 'traffic/submit-message.ts', 'mailflow/standard-flow.ts', 'reference/gateway.ts',
      'lab/loopback-lab.ts', 'pki/pki.ts', 'traffic/message.ts'].map(load))
  const pki = new Pki()
  const lab = new LoopbackLab(pki)
  await lab.start()
  const network = { resolver: '127.0.0.1:' + lab.dnsPort, partnerPort: lab.port }
  const flow = await standardFlow(reference(), { pki, network })
  const gateway = Object.assign(await ReferenceGateway.start(flow, { queue: { sends: () => 'never' } }), { holds: async () => holds, patience: 60 })
  const partner = await lab.partner({ domain: lab.freshDomain('*.opportunistic.test') })
  const message = compose({ from: flow.sender, to: ['inbox@' + partner.domain] })
  const submission = new Submission(gateway.submission, flow.hostname)
  const [{ heard, lost, arrivals }] = await send({ gateway, submission, message, partners: [partner] })
  parentPort.postMessage({ heard, lost, arrivals: arrivals.length })
}
main()
`
