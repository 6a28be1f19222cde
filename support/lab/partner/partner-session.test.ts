import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { ReceivedMessage } from '../../evidence/mail.ts'
import { Pki } from '../../pki/pki.ts'
import { Loopback } from '../../test-bed/fixtures/loopback.ts'
import { Recorder } from '../../wire/recorder.ts'
import { SmtpClient, WireError } from '../../wire/smtp/smtp.ts'
import { until, type Watchable } from '../../wire/until.ts'
import type { Behaviour } from './behaviour.ts'
import type { HostTls } from './host-tls.ts'
import { PartnerSession } from './partner-session.ts'

describe('a well-behaved partner', () => {
  const pki = new Pki()
  const identity = async (): Promise<HostTls> => {
    const { key, certificate } = await pki.issue({ names: ['mx.d1.test'], usage: 'server' })
    return { key, cert: certificate }
  }
  let server: Loopback
  afterEach(() => server.close())

  async function listening(tls: () => Promise<HostTls> = identity, behaviour: Behaviour = {}) {
    const messages: ReceivedMessage[] = []
    const watchers = new Set<() => void>()
    const changes: Watchable = { watch: watcher => watchers.add(watcher) && (() => watchers.delete(watcher)) }
    const onEvent = () => watchers.forEach(watcher => void watcher())
    const recorder = new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'mx.d1.test', onEvent })
    const onMessage = (message: ReceivedMessage) => messages.push(message)
    server = await Loopback.start(
      socket => new PartnerSession(socket, { hostname: 'mx.d1.test', behaviour, recorder, tls, onMessage }),
    )
    const { conversation } = recorder
    const closed = () => until(() => conversation.closed, [changes], 5_000)
    return { messages, conversation, closed, changes }
  }

  async function called(tls?: () => Promise<HostTls>, behaviour?: Behaviour) {
    const partner = await listening(tls, behaviour)
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx.d1.test' })
    const client = await SmtpClient.connect(server.endpoint, recorder)
    assert.equal((await client.reply()).text, '220 mx.d1.test ESMTP')
    const codes = async (...lines: string[]) => {
      const all: number[] = []
      for (const line of lines) all.push((await client.command(line)).code)
      return all
    }
    return { ...partner, client, codes }
  }
  const upToData = [
    'EHLO probe',
    'MAIL FROM:<a@probe.test> SIZE=5',
    'RCPT TO:<b@d1.test>',
    'RCPT TO:<c@d1.test>',
    'DATA',
  ]

  for (const secured of [false, true])
    it(`takes a message ${secured ? 'inside TLS' : 'unencrypted'} unchanged`, async () => {
      const { client, codes, messages, conversation } = await called()
      if (secured) {
        assert.deepEqual(await codes('EHLO probe', 'STARTTLS'), [250, 220])
        await client.startTls({})
      }
      assert.deepEqual(await codes(...upToData), [250, 250, 250, 250, 354])
      assert.equal((await client.content('.dot\r\n\r\n..two\r\n.\r\nend')).code, 250)
      const { at: _, ...message } = messages[0]!
      assert.deepEqual(message, {
        from: 'a@probe.test',
        to: ['b@d1.test', 'c@d1.test'],
        content: '.dot\r\n\r\n..two\r\n.\r\nend\r\n',
        secured,
      })
      assert.equal(conversation.clear.fromSender.includes('..two'), !secured)
      await client.quit()
    })

  it('records TLS from its own side, with the certificate chain that it showed', async () => {
    const { client, codes, conversation } = await called()
    await codes('EHLO probe', 'STARTTLS')
    await client.startTls({ servername: 'mx.d1.test' })
    await codes('EHLO probe')
    assert.equal(conversation.handshake?.serverCertificate?.chainLength, 2)
    assert.equal(conversation.handshake?.offered?.serverName, 'mx.d1.test')
    assert.equal(conversation.clear.fromReceiver.endsWith('220 2.0.0 Go ahead\\r\\n'), true)
    assert.equal(conversation.events.at(-1)?.secured, true)
    client.close()
  })

  it('requires commands in their order, and forgets a transaction at RSET, EHLO and STARTTLS', async () => {
    const { client, codes } = await called()
    assert.deepEqual(
      await codes('MAIL FROM:<>', 'EHLO probe', 'RCPT TO:<b@d1.test>', 'DATA'),
      [503, 250, 503, 503],
    )
    for (const forgets of ['RSET', 'EHLO probe', 'HELO probe'])
      assert.deepEqual(
        await codes('MAIL FROM:<>', 'RCPT TO:<b@d1.test>', forgets, 'DATA', 'RCPT TO:<b@d1.test>'),
        [250, 250, 250, 503, 503],
        forgets,
      )
    assert.deepEqual(await codes('MAIL FROM:<>', 'RCPT TO:<b@d1.test>', 'STARTTLS'), [250, 250, 220])
    await client.startTls({})
    assert.deepEqual(
      await codes('DATA', 'MAIL FROM:<>', 'STARTTLS', 'AUTH PLAIN', 'BDAT 5 LAST'),
      [503, 503, 503, 500, 500],
    )
    client.close()
  })

  it('answers pipelined commands, and none after QUIT', async () => {
    const { client, conversation, closed } = await called()
    client.write('EHLO probe\r\nNOOP\r\nQUIT\r\nNOOP\r\nMAIL FROM:<>\r\n')
    assert.deepEqual(
      [(await client.reply()).code, (await client.reply()).code, (await client.reply()).code],
      [250, 250, 221],
    )
    await assert.rejects(client.reply(), WireError)
    assert.ok(await closed())
    assert.ok(conversation.events.every(({ kind }) => kind !== 'error'))
  })

  it('closes after 421, and records a command that comes all the same', async () => {
    const { client, codes, conversation, closed } = await called(identity, { starttls: { refuses: 421 } })
    assert.deepEqual(await codes('EHLO probe', 'STARTTLS'), [250, 421])
    await assert.rejects(client.command('MAIL FROM:<>'), WireError)
    assert.ok(await closed())
    const commands = conversation.events.filter(({ kind }) => kind === 'command')
    assert.equal(commands.at(-1)?.text, 'MAIL FROM:<>')
  })

  it('closes a connection that it does not keep, after a message that no command follows', async () => {
    const { client, codes, conversation, closed } = await called(identity, { keepsNoConnection: true })
    for (const _ of [1, 2]) {
      await codes(...upToData)
      assert.equal((await client.content('hello')).code, 250)
    }
    assert.ok(await closed())
    assert.equal(conversation.events.at(-1)?.text, 'closed after the message')
  })

  it('sends its go-ahead before TLS if commands come in one segment', async () => {
    const { client, conversation } = await called()
    client.write('EHLO probe\r\nSTARTTLS\r\n')
    assert.deepEqual([(await client.reply()).code, (await client.reply()).code], [250, 220])
    await client.startTls({})
    assert.equal((await client.command('NOOP')).secured, true)
    assert.deepEqual(
      conversation.events.filter(({ kind }) => kind === 'bytes'),
      [],
    )
    client.close()
  })

  it('drops what came in one segment with STARTTLS, and records it', async () => {
    const { client, conversation, messages } = await called()
    client.write('EHLO probe\r\nSTARTTLS\r\nMAIL FROM:<early@probe.test>\r\n')
    await client.reply()
    await client.reply()
    await client.startTls({})
    client.write('EHLO probe\r\n')
    assert.ok((await client.reply()).lines.length > 1)
    assert.equal(client.unread.length, 0)
    const early = conversation.events.find(({ kind }) => kind === 'bytes')
    assert.match(early?.text ?? '', /before the go-ahead: MAIL FROM:<early/)
    assert.equal(messages.length, 0)
    client.close()
  })

  it('waits for its certificate without losing the ClientHello', async () => {
    const asked = Promise.withResolvers<void>()
    const made = Promise.withResolvers<HostTls>()
    const { client, conversation, changes, codes } = await called(() => {
      asked.resolve()
      return made.promise
    })
    await codes('EHLO probe', 'STARTTLS')
    const secured = client.startTls({})
    await asked.promise
    assert.ok(await until(() => conversation.handshake?.offered !== undefined, [changes], 5_000))
    made.resolve(await identity())
    await secured
    assert.deepEqual(await codes('NOOP'), [250])
    client.close()
  })

  for (const [what, tls] of [
    ['cannot be made', () => Promise.reject(new Error('no certificate'))],
    ['cannot be used', async () => ({ key: 'no key', cert: 'no certificate' })],
  ] as const)
    it(`records a fault of the lab if its certificate ${what}`, async () => {
      const { client, conversation, closed, codes } = await called(tls)
      await codes('EHLO probe', 'STARTTLS')
      await assert.rejects(client.startTls({}), WireError)
      assert.ok(await closed())
      assert.ok(conversation.labError)
      assert.equal(conversation.handshake?.error, undefined)
    })

  it('records unencrypted bytes in place of a handshake', async () => {
    const { client, conversation, closed, codes } = await called()
    await codes('EHLO probe', 'STARTTLS')
    client.write('MAIL FROM:<a@probe.test>\r\n')
    assert.ok(await closed())
    const stray = conversation.events.find(({ kind }) => kind === 'bytes')
    assert.equal(stray?.text, 'not TLS: MAIL FROM:<a@probe.test>\\r\\n')
    assert.match(conversation.clear.fromSender, /MAIL FROM:<a@probe.test>\\r\\n$/)
    assert.ok(conversation.handshake?.error)
    client.close()
  })

  for (const [what, bytes, truncated] of [
    ['a line without an end', 'x'.repeat(10_000), undefined],
    ['more commands than are kept', 'NOOP\r\n'.repeat(500), true],
    [
      'more bytes than are kept',
      `EHLO probe\r\nMAIL FROM:<>\r\nRCPT TO:<b@d1.test>\r\nDATA\r\n${'x\r\n'.repeat(60_000)}`,
      true,
    ],
  ] as const)
    it(`ends a connection with ${what}`, async () => {
      const { conversation, closed } = await listening()
      const socket = connect(server.endpoint).on('error', () => {})
      const gone = new Promise<void>(resolve => socket.once('close', () => resolve()))
      socket.resume().write(bytes)
      assert.ok(await closed())
      await gone
      assert.equal(conversation.truncated, truncated)
      assert.match(conversation.events.at(-1)!.text, /^ended by the partner: (a line of )?more than \d+ /)
      assert.equal(conversation.events.filter(({ kind }) => kind === 'error').length, 1)
    })

  it('survives a reset at any time', async () => {
    for (const steps of [[], ['EHLO probe'], ['EHLO probe', 'STARTTLS'], upToData]) {
      const { client, closed, codes, conversation } = await called()
      await codes(...steps)
      client.cut()
      assert.ok(await closed(), steps.at(-1))
      assert.equal(conversation.events.at(-1)?.kind, 'close')
      await server.close()
    }
    const { client, closed, codes } = await called()
    await codes('EHLO probe', 'STARTTLS')
    await client.startTls({})
    client.cut()
    assert.ok(await closed())
  })
})
