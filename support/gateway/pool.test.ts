import assert from 'node:assert/strict'
import { GatewayFailure } from '../gateway-failure.ts'
import { CHANGES } from '../mailflow/changes.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import { greets } from '../wire/smtp/greeting.ts'
import type { Gateway } from './gateway.ts'
import { Gateways } from './pool.ts'
import type { GatewaySource } from './source.ts'

describe('the gateways of a run', () => {
  const pki = new Pki()

  /** Counts what is started; `fails` says which must not. */
  async function gateways(fails: (started: number) => boolean = () => false) {
    const started: Gateway[] = []
    let asked = 0
    const source: GatewaySource = {
      ...reference(),
      secondServers: { 'the same kind': () => source },
      async start(flow) {
        if (fails(++asked)) throw new GatewayFailure('it does not come up')
        const gateway = await reference().start(flow)
        started.push(gateway)
        return gateway
      },
    }
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(source, { pki, network })
    return { all: new Gateways(source, flow, pki), started, flow }
  }
  const alive = (started: readonly Gateway[]) => Promise.all(started.map(({ inbound }) => greets(inbound)))

  it('are started once for each mail flow, even if several examples ask at the same time', async () => {
    const { all, started, flow } = await gateways()
    const [one, same, other] = await Promise.all([
      all.with(),
      all.with(),
      all.with([CHANGES['gives up after 3 attempts']]),
    ])
    assert.equal(one, same)
    assert.equal(one.flow, flow)
    assert.equal(other.flow.attempts, 3)
    assert.equal(started.length, 2)
    await all.stop()
  })

  it('are the same for the same set of changes, in whatever order they are asked for', async () => {
    const { all, started } = await gateways()
    const [one, other] = [CHANGES['gives up after 3 attempts'], CHANGES['trusts the new root']]
    const both = await all.with([one, other])
    assert.equal(await all.with([other, one]), both)
    assert.deepEqual([both.flow.attempts, both.flow.trust], [3, [await pki.root('new')]])
    assert.notEqual(await all.with([one]), both)
    assert.equal(started.length, 2)
    await all.stop()
  })

  it('are not shared if an example changes one', async () => {
    const { all, started } = await gateways()
    const shared = await all.with()
    const [own, another] = [await all.ofOwn(), await all.ofOwn()]
    assert.equal(new Set([shared, own, another]).size, 3)
    assert.equal(await all.with(), shared)
    assert.equal(started.length, 3)
    await all.stop()
  })

  it('are all stopped at the end, also those that are still starting', async () => {
    const { all, started } = await gateways()
    await all.with()
    await all.ofOwn()
    assert.deepEqual(await alive(started), [true, true])
    const late = all.with([CHANGES['trusts both roots']])
    await Promise.all([assert.rejects(late, /the run is over/), all.stop()])
    assert.deepEqual(await alive(started), Array(started.length).fill(false))
    await assert.rejects(all.with([CHANGES['gives up after 3 attempts']]), /the run is over/)
  })

  it('are replaced when they have ended by themselves, and the pool knows of the end', async () => {
    const crash = reference(mutant('ends by itself instead of refusing a sender'))
    const flow = await standardFlow(crash, { pki, network: { resolver: '127.0.0.1:9', partnerPort: 9 } })
    const all = new Gateways(crash, flow, pki)
    const first = await all.with()
    const message = compose({ from: 'a@d1.required.test', to: [flow.recipient] })
    const options = { endpoint: first.inbound, hostname: flow.hostname, pki } as const
    await handOver(message, { ...options, behaviour: { tls: 'does not use' } })
    assert.match(first.end!.message, /ended by itself/)
    assert.deepEqual(
      all.ends.map(({ gateway, why }) => [gateway, why]),
      [[first, first.end]],
    )
    const second = await all.with()
    assert.notEqual(second, first)
    assert.deepEqual(await alive([first, second]), [false, true])
    await all.stop()
    assert.deepEqual(await alive([second]), [false])
  })

  it('that one example had alone are stopped with the example, in any order', async () => {
    const { all, started } = await gateways()
    const own = await Promise.all([1, 2, 3, 4].map(() => all.ofOwn()))
    await Promise.all([own[3]!, own[1]!].map(gateway => all.giveBack(gateway)))
    assert.deepEqual(await alive(own), [true, false, true, false])
    await all.stopOwn()
    assert.deepEqual(await alive(started), Array(4).fill(false))
  })

  it('are stopped even if one did not start', async () => {
    const { all, started } = await gateways(number => number === 2)
    await all.with()
    await assert.rejects(all.with([CHANGES['trusts both roots']]), GatewayFailure)
    await all.stop()
    assert.deepEqual(await alive(started), [false])
  })

  it('have second servers with names of their own, whose own domain leads to the mailbox', async () => {
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const asked: string[] = []
    const all = new Gateways(reference(), flow, pki, {
      resolverOf: async domain => {
        asked.push(domain)
        return '127.0.0.1:10'
      },
    })
    const [one, other] = await Promise.all([
      all.secondServer('the same kind'),
      all.secondServer('the same kind'),
    ])
    const service = await all.with([CHANGES['belongs to a service']])
    const domains = [one, other, service].map(({ flow }) => flow.domain)
    assert.equal(new Set(domains).size, 3)
    assert.deepEqual(asked.sort(), domains.sort())
    assert.deepEqual(
      [one, service, await all.with()].map(({ flow }) => flow.network.resolver),
      ['127.0.0.1:10', '127.0.0.1:10', '127.0.0.1:9'],
    )
    await assert.rejects(all.secondServer('another kind'), /the suite has no second server of another kind/)
    await all.stop()
    assert.equal(await greets(one.inbound), false)
  })

  it('have second servers of the kinds that the source names, whatever its capabilities are', async () => {
    const { all, flow } = await gateways()
    assert.equal(all.lacks('pair'), undefined)
    assert.match(all.lacks('mixed-pair')!, /no second server of another kind for reference/)
    const another = {
      ...reference(),
      lacks: () => 'not built in',
      secondServers: { 'another kind': () => reference() },
    }
    const mixed = new Gateways(another, flow, pki)
    assert.equal(mixed.lacks('mixed-pair'), undefined)
    assert.match(mixed.lacks('pair')!, /no second server of the same kind/)
    assert.equal(mixed.lacks('retry'), 'not built in')
  })

  it('have three second servers of a kind at most, each for one example at a time', async () => {
    const { all, started } = await gateways()
    const first = await Promise.all([1, 2, 3].map(() => all.secondServer('the same kind')))
    assert.equal(new Set(first).size, 3)
    let waited = false
    const fourth = all.secondServer('the same kind').finally(() => {
      waited = true
    })
    assert.deepEqual(await alive(first), [true, true, true])
    assert.equal(waited, false)
    await all.giveBack(first[1]!)
    assert.equal(await fourth, first[1])
    assert.equal(started.length, 3)
    await all.stop()
  })

  it('have another second server in place of one that has ended or did not start', async () => {
    const { all, started } = await gateways(number => number === 1)
    await assert.rejects(all.secondServer('the same kind'), GatewayFailure)
    const peers = await Promise.all([1, 2, 3].map(() => all.secondServer('the same kind')))
    const [one] = peers
    Object.assign(one!, { end: new GatewayFailure('it ended by itself') })
    await all.giveBack(one!)
    assert.notEqual(await all.secondServer('the same kind'), one)
    await all.stop()
    assert.equal(started.length, 4)
  })

  it('have a new second server for each example if a server remembers what it saw', async () => {
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const all = new Gateways({ ...reference(), remembers: true }, flow, pki)
    const [one, other] = await Promise.all([
      all.secondServer('the same kind'),
      all.secondServer('the same kind'),
    ])
    assert.notEqual(one.flow.domain, other.flow.domain)
    await all.giveBack(one)
    assert.deepEqual(await alive([one, other]), [false, true])
    await all.stop()
    assert.deepEqual(await alive([other]), [false])
  })

  it('know the user for a gateway that accepts mail from users alone', async () => {
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const open = new Gateways(reference(), flow, pki)
    const closed = new Gateways({ ...reference(), login: true }, flow, pki)
    assert.equal(open.userOf(await open.with()), undefined)
    assert.equal(closed.userOf(await closed.with()), flow.users[0])
    // The second server of the reference gateway takes mail from everybody.
    assert.equal(closed.userOf(await closed.secondServer('the same kind')), undefined)
    await Promise.all([open.stop(), closed.stop()])
  })
})
