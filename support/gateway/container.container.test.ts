import assert from 'node:assert/strict'
import { exim } from '../../containers/exim/adapter.ts'
import { harakaInContainer } from '../../containers/haraka/adapter.ts'
import { opensmtpd } from '../../containers/opensmtpd/adapter.ts'
import { postfix } from '../../containers/postfix/adapter.ts'
import { Engine } from '../engine/engine.ts'
import { ContainerLab } from '../lab/container-lab.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import { CHANGES, changed, gatewayIdentity } from '../mailflow/changes.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import { send } from '../traffic/sending.ts'
import { Submission } from '../traffic/submit-message.ts'
import { container } from './container.ts'
import type { Gateway } from './gateway.ts'

/** What every product in a container must do before any scenario means something. */
describe('gateways in containers', function () {
  this.timeout(180_000)
  const pki = new Pki()
  let lab: ContainerLab

  before(async function () {
    try {
      await Engine.connect()
    } catch (error) {
      console.log(`      skipped: ${(error as Error).message}`)
      this.skip()
    }
    lab = await ContainerLab.start(pki)
  })
  after(() => lab?.stop())

  for (const product of [postfix, exim, opensmtpd, harakaInContainer])
    describe(product.name, () => {
      const source = container(product)
      let gateway: Gateway
      let submission: Submission

      before(async () => {
        const flow = await standardFlow(source, { pki, network: lab.network })
        await lab.leadToMailbox(flow.domain)
        gateway = await source.start(flow, lab.containers)
        submission = new Submission(gateway.submission, flow.hostname)
      })
      after(async () => {
        submission?.close()
        await gateway?.stop()
      })

      const deliver = (tls: 'uses' | 'does not use') =>
        handOver(
          compose({ from: `sender@${lab.freshDomain('*.stranger.test')}`, to: [gateway.flow.recipient] }),
          {
            endpoint: gateway.inbound,
            hostname: gateway.flow.hostname,
            pki,
            behaviour: { tls },
          },
        )

      async function sendTo(pattern: string, behaviour: Behaviour, tries = 1) {
        const partner = await lab.partner({ domain: lab.freshDomain(pattern), hosts: [behaviour] })
        const message = compose({ from: gateway.flow.sender, to: [`inbox@${partner.domain}`] })
        const [sent] = await send({ gateway, submission, message, partners: [partner], tries })
        return sent!
      }

      it('tells its version and that of its TLS library', () => {
        assert.match(gateway.version, /^\d+\.\d+/)
        assert.match(gateway.library, /^(?:OpenSSL|GnuTLS) \d/)
      })

      for (const tls of ['uses', 'does not use'] as const)
        it(`accepts mail from a client that ${tls} TLS, and the mail reaches the mailbox`, async () => {
          const { accepted, message, reply } = await deliver(tls)
          assert.ok(accepted, reply?.text)
          assert.equal((await lab.mailbox!.await(message.token)).length, 1)
        })

      it('sends over TLS', async () => {
        const { arrivals, deliveryEvents } = await sendTo('*.opportunistic.test', {})
        assert.deepEqual(
          arrivals.map(({ secured }) => secured),
          [true],
          deliveryEvents[0]?.reason,
        )
      })

      it('sends unencrypted', async () => {
        const { arrivals } = await sendTo('*.opportunistic.test', { starttls: { hides: true } })
        assert.deepEqual(
          arrivals.map(({ secured }) => secured),
          [false],
        )
      })

      it('defers a message, keeps it in the queue, and tries again when asked', async () => {
        const notNow: Behaviour = { transaction: { refuses: { at: 'RCPT', reply: '451 4.2.1 Not now' } } }
        const held = await sendTo('*.opportunistic.test', notNow)
        assert.deepEqual([held.arrivals, held.deliveryEvents.map(({ kind }) => kind)], [[], ['deferred']])
        assert.equal(await gateway.holds!(held.recipient), true)
        const freed = await sendTo('*.opportunistic.test', { times: 1, ...notNow }, 2)
        assert.equal(freed.arrivals.length, 1)
        assert.equal(await gateway.holds!(freed.recipient), false)
      })

      it('returns a message that can never be delivered', async () => {
        const { deliveryEvents } = await sendTo('*.opportunistic.test', {
          transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 Nobody here' } },
        })
        assert.deepEqual(
          deliveryEvents.map(({ kind }) => kind),
          ['bounced'],
        )
        assert.match(deliveryEvents[0]!.reason, /Nobody here/)
      })

      it('shows another certificate after a change', async () => {
        await gateway.change({
          ...gateway.flow,
          identity: await gatewayIdentity(gateway.flow, pki, 'new'),
        })
        const { conversations } = await deliver('uses')
        assert.match(conversations[0]!.handshake!.serverCertificate!.issuer, /\bnew\b/)
      })

      it('obeys another setting after a change', async function () {
        if (source.lacks('forced-tls-inbound')) this.skip()
        await gateway.change(await changed(gateway.flow, [CHANGES['requires TLS of every client']], pki))
        assert.equal((await deliver('does not use')).accepted, false)
        const { accepted, reply } = await deliver('uses')
        assert.ok(accepted, reply?.text)
      })
    })
})
