import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { ReceivedMessage } from '../evidence/mail.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import { PartnerSession } from '../lab/partner/partner-session.ts'
import { hostTls } from '../lab/partner/partner-tls-options.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { Pki } from '../pki/pki.ts'
import { ReferenceGateway } from '../reference/gateway.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { Recorder } from '../wire/recorder.ts'
import { compose } from './message.ts'
import { Submission } from './submit-message.ts'

describe('handing messages over for sending on', () => {
  const pki = new Pki()
  let server: Loopback
  let submission: Submission
  afterEach(async () => {
    submission.close()
    await server.close()
  })

  /** A server that takes mail, with all that came to it. */
  async function taking(
    behaviour: Behaviour = {},
    { times = Number.POSITIVE_INFINITY, greetsAfter = 0 } = {},
  ) {
    const messages: ReceivedMessage[] = []
    const sockets: Socket[] = []
    const recorders: Recorder[] = []
    const tls = await hostTls(pki, ['mx.gateway.test'])
    server = await Loopback.start(async socket => {
      sockets.push(socket)
      if (greetsAfter) await pause(greetsAfter)
      const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx.gateway.test' })
      recorders.push(recorder)
      new PartnerSession(socket, {
        hostname: 'mx.gateway.test',
        behaviour: sockets.length > times ? {} : behaviour,
        recorder,
        tls: async () => tls,
        onMessage: message => messages.push(message),
      })
    })
    submission = new Submission(server.endpoint, 'mx.gateway.test')
    return { messages, sockets, recorders }
  }
  const message = () => compose({ from: 'a@gateway.test', to: ['b@one.test', 'c@other.test'] })

  it('brings a message with all its recipients, as it is', async () => {
    const { messages } = await taking()
    const sent = message()
    const { reply, conversation } = await submission.submit(sent)
    assert.equal(reply.code, 250)
    assert.equal(conversation, undefined)
    assert.deepEqual(
      messages.map(({ from, to, content, secured }) => ({ from, to, content, secured })),
      [{ from: sent.from, to: sent.to, content: sent.content, secured: false }],
    )
  })

  it('uses a connection for one message alone', async () => {
    const { messages, sockets } = await taking()
    for (let n = 0; n < 3; n++) await submission.submit(message())
    assert.deepEqual([messages.length, sockets.length], [3, 3])
  })

  it('uses a connection for a few messages where the gateway is slow to greet', async () => {
    const { messages, sockets } = await taking({}, { greetsAfter: 1_100 })
    for (let n = 0; n < 6; n++) await submission.submit(message())
    assert.deepEqual([messages.length, sockets.length], [6, 2])
  })

  it('comes again where it is refused for now, at the greeting too', async () => {
    for (const fault of [
      { greeting: 'turns away (421)' },
      { transaction: { refuses: { at: 'RCPT', reply: '450 4.2.0 Greylisted' } } },
    ] satisfies Behaviour[]) {
      const { messages } = await taking(fault, { times: 1 })
      assert.equal((await submission.submit(message())).reply.code, 250)
      assert.equal(messages.length, 1)
      await server.close()
    }
  })

  for (const at of ['MAIL', 'RCPT', 'DATA', 'content'] as const)
    it(`gives the reply that refuses a message at ${at}, and does not use that connection again`, async () => {
      const { messages, sockets } = await taking({
        transaction: { refuses: { at, reply: '550 5.7.1 Not this' } },
      })
      for (let n = 0; n < 2; n++)
        assert.equal((await submission.submit(message())).reply.text, '550 5.7.1 Not this')
      assert.deepEqual([messages.length, sockets.length], [0, 2])
    })

  it('brings a message inside TLS on a connection of its own, and gives its record', async () => {
    const { messages, sockets } = await taking()
    await submission.submit(message())
    const sent = message()
    const { conversation } = await submission.submit(sent, {})
    assert.equal(sockets.length, 2)
    assert.equal(messages[1]?.secured, true)
    assert.equal(conversation?.handshake?.offered?.serverName, 'mx.gateway.test')
    assert.doesNotMatch(conversation!.clear.fromSender, /MAIL|token/)
    await submission.submit(message(), {})
    assert.equal(sockets.length, 3)
  })

  it('logs in inside TLS as a user, and says why where that fails', async () => {
    await taking()
    const identity = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
    const user = { name: 'probe@gateway.test', password: 'right' }
    const flow = { hostname: 'mx.gateway.test', identity, users: [user], outbound: [], trust: [] }
    const gateway = await ReferenceGateway.start(flow as unknown as MailFlow)
    const submitting = async (password: string) => {
      const by = new Submission(gateway.submission, 'mx.gateway.test', { user: { ...user, password } })
      return by.submit(message(), {}).finally(() => by.close())
    }
    try {
      const { reply, conversation } = await submitting('right')
      assert.equal(reply.code, 250)
      assert.doesNotMatch(conversation!.clear.fromSender, /AUTH/)
      await assert.rejects(submitting('wrong'), {
        name: 'WireError',
        message: /no login for submission: 535/,
      })
    } finally {
      await gateway.stop()
    }
  })

  it('does not log in where TLS is not offered', async () => {
    const { recorders } = await taking({ starttls: { hides: true } })
    const by = new Submission(server.endpoint, 'mx.gateway.test', {
      user: { name: 'probe', password: 'right' },
    })
    await assert.rejects(by.submit(message()), { message: /no STARTTLS for submission/ })
    by.close()
    assert.doesNotMatch(recorders.map(({ conversation }) => conversation.clear.fromSender).join(), /AUTH/)
  })

  it('never brings in clear what was to go inside TLS', async () => {
    const { messages } = await taking({ starttls: { hides: true } })
    await assert.rejects(submission.submit(message(), {}), {
      name: 'WireError',
      breakdown: 'unexpected answer',
    })
    assert.deepEqual(messages, [])
  })

  it('fails where nobody speaks SMTP', async () => {
    await taking({ greeting: 'talks garbage' })
    await assert.rejects(submission.submit(message()), { name: 'WireError', breakdown: 'unexpected answer' })
  })

  it('leaves no connection behind', async () => {
    const { sockets } = await taking()
    await submission.submit(message())
    const gone = once(sockets[0]!, 'close')
    submission.close()
    await gone
  })
})
