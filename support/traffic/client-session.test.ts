import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { extensionsIn, lastReply, SMUGGLED, type Smuggled } from '../evidence/session.ts'
import { nothingTookEffect, replyOfKind } from '../judgements/session.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { ReferenceGateway, reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { printable } from '../wire/printable.ts'
import type { ClientManner } from './client-manner.ts'
import { ClientSession } from './client-session.ts'

describe('a session that is led command by command', () => {
  const pki = new Pki()
  const started: ReferenceGateway[] = []
  const open: ClientSession[] = []
  const servers: Loopback[] = []
  afterEach(async () => {
    for (const client of open.splice(0)) client.close()
    await Promise.all(servers.splice(0).map(server => server.close()))
    await Promise.all(started.splice(0).map(gateway => gateway.stop()))
  })

  async function opened(defect: Defect = {}, where: 'inbound' | 'submission' = 'inbound') {
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const gateway = await ReferenceGateway.start(flow, defect)
    started.push(gateway)
    const client = await ClientSession.open(gateway[where], { domain: 'sender.test', flow })
    open.push(client)
    return client
  }
  /** A session with a server that does with each line what it is told. */
  async function openedWith(
    answer: (line: string, socket: Socket) => void,
    manner: ClientManner = {},
  ): Promise<ClientSession> {
    const server = await Loopback.start(socket => {
      socket.write('220 mx.gateway.test\r\n')
      createInterface({ input: socket }).on('line', line => answer(line, socket))
    })
    servers.push(server)
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const client = await ClientSession.open(server.endpoint, { domain: 'sender.test', flow, manner })
    open.push(client)
    return client
  }
  const codes = (client: ClientSession) => client.seen().exchanges.map(({ reply }) => reply.code)

  it('has no session where the gateway does not greet', async () => {
    const { conversation } = (await opened()).seen()
    assert.equal(conversation.receiver, 'mx.gateway.test')
    const gateway = started[0]!
    const about = { domain: 'sender.test', flow: gateway.flow }
    await gateway.stop()
    await assert.rejects(ClientSession.open(gateway.inbound, about), { breakdown: 'no connection' })
  })

  it('begins again where the gateway greets with a refusal for now', async () => {
    let greetings = 0
    const client = await opened({
      receiver: {
        greeting: (_, correct) => (++greetings === 1 ? '421 4.7.0 Too many connections' : correct),
      },
    })
    await client.greet()
    assert.deepEqual(codes(client), [250])
    const { greeting, earlier } = client.seen()
    assert.deepEqual([greeting?.code, earlier?.length], [220, 1])
  })

  it('knows what the last EHLO listed, and nothing after one that was refused', async () => {
    const client = await opened()
    await client.greet()
    assert.ok(client.offersStarttls)
    await client.startTls()
    await client.greet()
    assert.deepEqual([client.seen().secured, client.offersStarttls], [true, false])
    const refusing = await opened(mutant('answers 250 to everything'))
    await refusing.greet()
    assert.deepEqual(extensionsIn(refusing.seen(), false), [])
  })

  it('gathers the replies to commands, without the greeting', async () => {
    const client = await opened()
    await client.greet()
    await client.say(client.mail)
    await client.say('NONSENSE')
    assert.deepEqual(codes(client), [250, 250, 500])
    assert.equal(lastReply(client.seen())?.code, 500)
  })

  it('gives a whole message away', async () => {
    const client = await opened()
    await client.greet()
    await client.transaction()
    assert.deepEqual(codes(client), [250, 250, 250, 354, 250])
  })

  it('ends a message at the first refusal', async () => {
    const client = await opened(mutant('answers 530 to MAIL from everybody'))
    await client.greet()
    await client.transaction()
    assert.deepEqual(codes(client), [250, 530])
  })

  it('is over without the go-ahead: nothing that belongs inside TLS is said in clear', async () => {
    const client = await opened()
    const gateway = started[0]!
    await gateway.change({ ...gateway.flow, identity: { key: '', certificate: '' } })
    await client.greet()
    await client.startTls()
    assert.equal(lastReply(client.seen())?.code, 454)
    assert.equal(client.seen().breakdown?.kind, 'unexpected answer')
    assert.equal(await client.say('MAIL FROM:<secret@sender.test>'), undefined)
    assert.doesNotMatch(client.seen().conversation.clear.fromSender, /secret/)
  })

  it('gives a message up where TLS is not begun in the middle of it, if told so', async () => {
    const answers: Record<string, string> = { STARTTLS: '503 5.5.1 Not now', RSET: '250 2.0.0 Reset' }
    const client = await openedWith((line, socket) => {
      socket.write(`${answers[line] ?? '250 OK'}\r\n`)
      if (line === 'RSET') answers['STARTTLS'] = '454 4.7.0 Not at all'
    })
    await client.greet()
    await client.say(client.mail)
    await client.startTls({ givesUpMessage: true })
    client.close()
    assert.deepEqual(codes(client), [250, 250, 503, 250, 454])
    assert.match(client.seen().breakdown!.detail, /454/)
    assert.equal(client.seen().refusedMidway?.code, 454)
    assert.match(
      replyOfKind(client.seen(), '5').detail,
      /^the gateway refuses STARTTLS once a message has begun: 454/,
    )
  })

  it('knows an alert that answers what was smuggled before the handshake has begun', async () => {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 10])
    const client = await openedWith((line, socket) => {
      if (line === 'NOOP') socket.end(Buffer.concat([Buffer.from('220 Go ahead\r\n'), alert]))
      else if (line !== 'STARTTLS') socket.write('250 OK\r\n')
    })
    await client.greet()
    await client.smuggle('a NOOP in a segment of its own')
    client.close()
    assert.equal(client.seen().breakdown?.kind, 'handshake failure')
    assert.match(
      nothingTookEffect(client.seen(), true).detail,
      /^the gateway ended the session at the handshake: .*an alert$/,
    )
  })

  it('logs in with the right password, and with a wrong one', async () => {
    const client = await opened({}, 'submission')
    await client.greet()
    await client.startTls()
    await client.greet()
    assert.equal((await client.login('wrong'))?.code, 535)
    assert.equal((await client.login('right'))?.code, 235)
  })

  for (const [what, segments] of Object.entries(SMUGGLED) as [Smuggled, readonly string[]][])
    it(`smuggles ${what}, and goes on inside TLS`, async () => {
      const client = await opened()
      await client.greet()
      await client.smuggle(what)
      assert.equal(client.seen().smuggled, what)
      const { clear } = client.seen().conversation
      const shown = printable(segments.join(''))
      assert.ok(clear.fromSender.includes(shown), clear.fromSender)
      const inside = client
        .seen()
        .exchanges.filter(({ reply }) => reply.secured)
        .map(({ reply }) => reply.code)
      // What comes after the gateway has begun to listen for a ClientHello breaks the handshake.
      if (segments.length > 1 && client.seen().breakdown?.kind === 'handshake failure') return
      assert.equal(client.seen().breakdown, undefined)
      // A bare CR ends no line, so there is no STARTTLS.
      const replies =
        what === 'EHLO and MAIL' ? [503, 221] : what === 'a bare CR and a NOOP' ? [] : [250, 221]
      assert.deepEqual(inside, replies)
      assert.deepEqual(client.seen().surplus, [])
    })

  it('is given away by what was smuggled where that takes effect', async () => {
    const client = await opened(mutant('executes inside TLS what came in clear behind STARTTLS'))
    await client.greet()
    await client.smuggle('a NOOP')
    const inside = client.seen().exchanges.filter(({ reply }) => reply.secured)
    assert.ok(inside.length + client.seen().surplus.length > 2 || inside[1]?.reply.code !== 221)
  })

  describe('in another manner', () => {
    const MANNERS: ClientManner[] = [
      { greeting: 'EHLO with an address literal' },
      { commandCase: 'lower case' },
      { commandCase: 'mixed case', commandWrites: 'single bytes' },
      { sender: 'quoted local part with an at sign' },
      { tlsVersion: 'TLS 1.2 at most', serverName: 'none' },
      { session: 'resumed by ticket' },
      { session: 'resumed by id' },
      { clientHello: 'two records' },
      { history: 'a failed handshake of the same client', earlierHistory: 'a delivery of the same client' },
      // What would add commands or change replies stays out.
      { greeting: 'HELO before EHLO', extraCommands: 'NOOP between commands' },
      { transfer: 'DATA with the envelope pipelined', commandEnd: 'a blank before the line end' },
    ]

    async function openedIn(manner: ClientManner, where: 'inbound' | 'submission' = 'inbound') {
      const plain = await opened({}, where)
      plain.close()
      const gateway = started.at(-1)!
      const about = { domain: 'sender.test', flow: gateway.flow, manner, pki }
      const client = await ClientSession.open(gateway[where], about)
      open.push(client)
      return client
    }

    for (const manner of MANNERS) {
      it(`gets the same replies with ${JSON.stringify(manner)}`, async () => {
        const client = await openedIn(manner)
        await client.greet()
        await client.startTls()
        await client.greet()
        await client.transaction()
        const { exchanges, secured, declined, leftOut, chainError, conversation, earlier } = client.seen()
        assert.deepEqual(
          exchanges.map(({ command, reply }) => `${command} ${reply.code}`),
          ['EHLO 250', 'STARTTLS 220', 'EHLO 250', 'MAIL 250', 'RCPT 250', 'DATA 354', '. 250'],
        )
        assert.deepEqual([secured, declined, leftOut, chainError], [true, undefined, undefined, undefined])
        const { handshake } = conversation
        assert.equal(handshake?.resumed, manner.session === 'resumed by id' ? true : undefined)
        if (manner.tlsVersion) assert.equal(handshake?.version, 'TLSv1.2')
        if (manner.serverName) assert.equal(handshake?.offered?.serverName, undefined)
        const before = [manner.session, manner.history, manner.earlierHistory].filter(Boolean).length
        assert.equal(earlier?.length ?? 0, before)
      })

      it(`smuggles and logs in with ${JSON.stringify(manner)}`, async () => {
        const smuggling = await openedIn(manner)
        await smuggling.greet()
        await smuggling.smuggle('a NOOP')
        assert.equal(nothingTookEffect(smuggling.seen(), true).kind, 'kept')
        const client = await openedIn(manner, 'submission')
        await client.greet()
        await client.startTls()
        await client.greet()
        assert.equal((await client.login('right', 'LOGIN'))?.code, 235)
      })
    }

    it('knows a manner that the gateway does not go along with', async () => {
      const client = await openedWith(
        (line, socket) => socket.write(line.startsWith('EHLO [') ? '501 5.5.2 a name\r\n' : '250 ok\r\n'),
        { greeting: 'EHLO with an address literal' },
      )
      await client.greet()
      assert.equal(client.seen().declined, 'EHLO with an address literal: 501 5.5.2 a name')
    })
  })
})
