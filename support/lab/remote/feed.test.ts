import assert from 'node:assert/strict'
import { Pki } from '../../pki/pki.ts'
import { Recorder } from '../../wire/recorder.ts'
import { SmtpClient } from '../../wire/smtp/smtp.ts'
import { until } from '../../wire/until.ts'
import { hostSpecs } from '../lab.ts'
import type { Behaviour } from '../partner/behaviour.ts'
import { Partner, PartnerHost } from '../partner/partner.ts'
import { PartnerServer } from '../partner/partner-server.ts'
import { type FeedLine, PartnerNews, RemotePartners } from './feed.ts'

describe('the reports of a lab in a container', () => {
  const pki = new Pki()
  const server = new PartnerServer()
  before(() => server.listen({ host: '127.0.0.1', port: 0 }))
  after(() => server.stop())

  /** A partner as it is played, and as it is mirrored over JSON lines. */
  async function pair(behaviour: Behaviour) {
    const specs = await hostSpecs(pki, { domain: 'd1.test', hosts: [behaviour] }, () => '127.0.0.1')
    const played = new Partner('d1.test', [])
    server.addForAll(new PartnerHost(played, specs[0]!))
    const mirrored = new Partner('d1.test', specs)
    const remote = new RemotePartners()
    remote.add('7', mirrored)
    const teller = new PartnerNews('7', played)
    const lines: FeedLine[] = []
    const messages: Partner['messages'] = []
    played.watch(() => {
      messages.push(...played.messages)
      for (const line of teller.news()) {
        lines.push(JSON.parse(JSON.stringify(line)))
        remote.tell(lines.at(-1)!)
      }
    })
    return { played, mirrored, remote, lines, messages }
  }

  async function deliver(to: string, tls: boolean) {
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx.d1.test' })
    const client = await SmtpClient.connect({ host: '127.0.0.1', port: server.port }, recorder)
    await client.reply()
    await client.command('EHLO probe.test')
    if (tls) {
      await client.command('STARTTLS')
      await client.startTls({ trust: [await pki.root()] })
      await client.command('EHLO probe.test')
    }
    await client.command('MAIL FROM:<a@probe.test>')
    const { code } = await client.command(`RCPT TO:<${to}>`)
    if (code === 250) {
      await client.command('DATA')
      await client.content('Subject: ü\r\n\r\nhello\r\n')
    }
    await client.quit()
  }

  for (const tls of [true, false])
    it(`have the same conversation and message as the partner, ${tls ? 'over TLS' : 'unencrypted'}`, async () => {
      const { played, mirrored, messages } = await pair({})
      await deliver('inbox@d1.test', tls)
      assert(await until(() => mirrored.conversations[0]?.closed === true, [mirrored], 5_000))
      const { id, ...seen } = JSON.parse(JSON.stringify(mirrored.conversations))[0]
      const { id: its, ...original } = JSON.parse(JSON.stringify(played.conversations))[0]
      assert.deepEqual(seen, original)
      assert.equal(id, `lab-${its}`)
      assert.equal(seen.handshake?.version, tls ? 'TLSv1.3' : undefined)
      assert.deepEqual(
        mirrored.messages.map(({ at: _, ...message }) => message),
        messages.map(({ at: _, ...message }) => message),
      )
      assert.equal(mirrored.messages.length, 1)
      assert.equal(played.messages.length, 0, 'the player keeps no message')
    })

  it('tell each thing once', async () => {
    const { played, lines } = await pair({})
    await deliver('inbox@d1.test', true)
    await until(() => played.conversations[0]?.closed === true, [played], 5_000)
    const grown = lines.flatMap(line => ('grew' in line ? [line.by] : []))
    const events = grown.flatMap(({ events = [] }) => events)
    assert.deepEqual(events, played.conversations[0]!.events)
    const told = grown.map(({ fromSender }) => fromSender?.[1] ?? '').join('')
    assert.equal(told, played.conversations[0]!.clear.fromSender)
  })

  it('take back a connection that was for another partner', async () => {
    const { mirrored, lines } = await pair({})
    await deliver('inbox@d2.test', false)
    assert(await until(() => lines.some(line => 'disowned' in line), [mirrored], 5_000))
    assert.deepEqual(mirrored.conversations, [])
  })

  it('mark open connections if the lab is lost, and no others', async () => {
    const { mirrored, remote } = await pair({})
    await deliver('inbox@d1.test', false)
    await until(() => mirrored.conversations[0]?.closed === true, [mirrored], 5_000)
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx.d1.test' })
    const client = await SmtpClient.connect({ host: '127.0.0.1', port: server.port }, recorder)
    await client.reply()
    await until(() => mirrored.conversations.length === 2, [mirrored], 5_000)
    let told = false
    mirrored.watch(() => {
      told = true
    })
    remote.lost('gone')
    client.close()
    assert.deepEqual(
      mirrored.conversations.map(({ labError }) => labError),
      [undefined, 'gone'],
    )
    assert(told)
  })
})
