import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import { haraka } from '../../containers/haraka/adapter.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { partnerMailbox } from '../lab/mailbox/mailbox.ts'
import { runFolder } from '../leftovers.ts'
import { gatewayIdentity } from '../mailflow/changes.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { handOver, type SenderBehaviour } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import { sendAndWatch } from '../traffic/sending.ts'
import { Submission } from '../traffic/submit-message.ts'
import type { EmbeddedProduct } from './adapter.ts'
import { EmbeddedGateway, embedded } from './embedded.ts'

const folders = () => readdirSync(tmpdir()).filter(name => name.startsWith(basename(runFolder())))

describe('an embedded gateway', () => {
  describe('that is Haraka', () => {
    const pki = new Pki()
    const lab = new LoopbackLab(pki)
    let flow: MailFlow
    let gateway: EmbeddedGateway
    let submission: Submission

    before(async () => {
      await lab.start()
      const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
      flow = await standardFlow(embedded(haraka), { pki, network })
      gateway = await EmbeddedGateway.start(haraka, flow)
      submission = new Submission(gateway.submission, flow.hostname)
    })

    after(async () => {
      submission?.close()
      await gateway?.stop()
      await lab.stop()
    })

    async function sends(hosts: Parameters<LoopbackLab['partner']>[0]['hosts'] = [{}]) {
      const domain = lab.freshDomain('*.opportunistic.test')
      const partner = await lab.partner({ domain, hosts })
      const message = compose({ from: `probe@${flow.domain}`, to: [`inbox@${domain}`] })
      return (await sendAndWatch({ gateway, submission, message, partners: [partner] }))[0]!
    }

    const delivers = (behaviour: SenderBehaviour) =>
      handOver(compose({ from: 'sender@d1.stranger.test', to: [`inbox@${flow.domain}`] }), {
        endpoint: gateway.inbound,
        hostname: flow.hostname,
        behaviour,
        pki,
      })

    it('tells its version and that of its TLS library', () => {
      assert.match(gateway.version, /^\d+\.\d+\.\d+$/)
      assert.match(gateway.library, /^OpenSSL \d/)
    })

    it('accepts mail unencrypted and over TLS, and sends it to the mailbox', async () => {
      const mailbox = partnerMailbox(
        await lab.partner({ domain: flow.domain, hostnames: [`mailbox.${flow.domain}`] }),
      )
      for (const tls of ['does not use', 'uses'] as const) {
        const handover = await delivers({ tls })
        assert.ok(handover.accepted, `${tls}: ${handover.stage}`)
        assert.equal((await mailbox.await(handover.message.token)).length, 1, tls)
      }
    })

    it('sends unencrypted and over TLS, and its log tells of the recipient and of the session', async () => {
      for (const hides of [true, false]) {
        const sent = await sends([{ starttls: { hides } }])
        assert.equal(sent.arrivals.length, 1)
        assert.equal(sent.arrivals[0]!.secured, !hides)
        // The partner has the message before the gateway says so.
        assert.deepEqual(
          (await said(gateway, sent.recipient)).map(({ kind }) => kind),
          ['delivered'],
        )
        assert.equal(gateway.sessions(sent.partner.domain).at(-1)?.tls, !hides)
      }
    })

    it('takes another mail flow at the same address, and keeps its queue', async () => {
      const queued = await sends([{ starttls: { refuses: 454 }, times: 1 }])
      assert.equal(queued.deliveryEvents.at(-1)?.kind, 'deferred')
      // An orderly end would wait for a connection that is open.
      submission.close()
      await gateway.change({ ...flow, identity: await gatewayIdentity(flow, pki, 'new') })
      const { accepted, conversations } = await delivers({ tls: 'uses' })
      assert.ok(accepted)
      assert.match(conversations[0]!.handshake!.serverCertificate!.issuer, /\bnew\b/)
      await gateway.retry(queued.partner.domain)
      await said(gateway, queued.recipient, 2)
      assert.equal(queued.arrivals.length, 1)
    })

    it('leaves no process and no folder when it is stopped', async () => {
      await gateway.stop()
      assert.equal(await reachable(gateway.inbound), false)
      assert.deepEqual(folders(), [])
    })
  })

  describe('that does not start', () => {
    const nothing: MailFlow = {
      hostname: 'mx.gateway.test',
      domain: 'gateway.test',
      recipient: 'inbox@gateway.test',
      sender: 'probe@gateway.test',
      identity: { key: '', certificate: '' },
      trust: [],
      sendersTrust: [],
      minVersion: 'TLSv1.2',
      inbound: [],
      outbound: [],
      users: [],
      attempts: 1,
      network: { resolver: '', partnerPort: 0 },
    }

    /** A product that is this script: it says its id, then does what it is told. */
    const product = (script: string, program = process.execPath): EmbeddedProduct => ({
      name: 'sample',
      capabilities: new Set(),
      reasons: {},
      ready: /accepting mail/,
      endSignal: 'SIGTERM',
      version: async () => ({ version: '1.0.0', library: 'none' }),
      render: (_flow, place) => ({
        files: [
          {
            path: 'etc/sample.cjs',
            content: `const place = ${JSON.stringify(place)}\nconsole.log('id', process.pid)\n${script}\n`,
          },
        ],
      }),
      command: folder => ({ program, args: [`${folder}/etc/sample.cjs`], env: {} }),
      retry: () => ({}),
      read: () => undefined,
      session: () => undefined,
    })

    async function failure(script: string, program?: string): Promise<string> {
      try {
        await EmbeddedGateway.start(product(script, program), nothing, { startLimit: 1_500 })
      } catch (error) {
        assert.ok(error instanceof GatewayFailure, String(error))
        assert.deepEqual(folders(), [], 'a folder is left')
        const id = /\bid (\d+)/.exec(error.message)?.[1]
        if (id) assert.throws(() => process.kill(Number(id), 0), { code: 'ESRCH' })
        return error.message
      }
      throw new Error('it came up')
    }

    it('because it ends at once: the error has its last words', async () => {
      const message = await failure(`console.error('no such option: tls'); process.exitCode = 3`)
      assert.match(message, /sample ended by itself \(exit status 3\): .*no such option: tls/)
    })

    it('because it never gets ready: the error has its last words', async () => {
      const message = await failure(`console.log('still reading'); setInterval(() => {}, 1000)`)
      assert.match(message, /sample took no mail after 1\.5 s: .*still reading/)
    })

    it('because it never gets ready, and ignores the signal to end as well', async () => {
      const message = await failure(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`)
      assert.match(message, /^sample took no mail/)
    })

    it('because its greeting is not that of a mail server that accepts mail', async () => {
      const message = await failure(
        `require('net').createServer(s => s.on('error', () => {}).end('554 go away\\r\\n'))
          .listen(place.inbound, place.address, () => console.log('accepting mail'))`,
      )
      assert.match(message, /it greets with 554 go away/)
    })

    it('because it does not listen although it says so', async () => {
      const message = await failure(`console.log('accepting mail'); setInterval(() => {}, 1000)`)
      assert.match(message, /no connection: .*ECONNREFUSED/)
    })

    it('because there is no such program', async () => {
      assert.match(await failure('', '/nonexistent/sample'), /sample cannot be started: .*ENOENT/)
    })
  })
})

/** The gateway's word on a recipient, once it has been given `times` times. */
function said(gateway: EmbeddedGateway, recipient: string, times = 1) {
  const word = () => gateway.events.filter(event => event.recipient === recipient)
  return new Promise<ReturnType<typeof word>>(resolve => {
    let leave = () => {}
    const look = () => {
      if (word().length < times) return
      leave()
      resolve(word())
    }
    leave = gateway.watch(look)
    look()
  })
}

function reachable({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
