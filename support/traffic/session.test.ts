import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { nothingTookEffect, replyOfKind } from '../judgements/session.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import type { Defects } from '../reference/defects.ts'
import { ReferenceGateway, reference } from '../reference/gateway.ts'
import { WireError } from '../wire/smtp/smtp.ts'
import { Dialogue, SMUGGLED, type Smuggled } from './session.ts'

describe('a session that is led command by command', () => {
  const pki = new Pki()
  const started: ReferenceGateway[] = []
  const open: Dialogue[] = []
  afterEach(async () => {
    for (const talk of open.splice(0)) talk.close()
    await Promise.all(started.splice(0).map(gateway => gateway.stop()))
  })

  async function dialogue(receiver: Defects['receiver'] = {}, where: 'inbound' | 'submission' = 'inbound') {
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const gateway = await ReferenceGateway.start(flow, { receiver })
    started.push(gateway)
    const talk = await Dialogue.open(gateway[where], { domain: 'sender.test', flow })
    open.push(talk)
    return talk
  }
  const codes = ({ replies }: Dialogue) => replies.map(({ code }) => code)

  it('has no session where the gateway does not greet', async () => {
    const { conversation } = await dialogue()
    assert.equal(conversation.receiver, 'mx.gateway.test')
    const gateway = started[0]!
    const about = { domain: 'sender.test', flow: gateway.flow }
    await gateway.stop()
    await assert.rejects(Dialogue.open(gateway.inbound, about), { breakdown: 'no connection' })
  })

  it('knows what the last EHLO listed, and nothing after one that was refused', async () => {
    const talk = await dialogue()
    await talk.greet()
    assert.ok(talk.extensions.includes('STARTTLS'))
    await talk.startTls()
    await talk.greet()
    assert.deepEqual([talk.secured, talk.extensions.includes('STARTTLS')], [true, false])
    const refusing = await dialogue({ answersAlways250: true })
    await refusing.greet()
    assert.deepEqual(refusing.extensions, [])
  })

  it('gathers the replies to commands, without the greeting', async () => {
    const talk = await dialogue()
    await talk.greet()
    await talk.say(talk.mail)
    await talk.say('NONSENSE')
    assert.deepEqual(codes(talk), [250, 250, 500])
    assert.equal(talk.last, talk.replies[2])
  })

  it('gives a whole message away', async () => {
    const talk = await dialogue()
    await talk.greet()
    await talk.transaction()
    assert.deepEqual(codes(talk), [250, 250, 250, 354, 250])
  })

  it('ends a message at the first refusal', async () => {
    const talk = await dialogue({ demandsTlsOfAll: true })
    await talk.greet()
    await talk.transaction()
    assert.deepEqual(codes(talk), [250, 530])
  })

  it('is over without the go-ahead: nothing that belongs inside TLS is said in clear', async () => {
    const talk = await dialogue()
    const gateway = started[0]!
    await gateway.change({ ...gateway.flow, identity: { key: '', certificate: '' } })
    await talk.greet()
    await talk.startTls()
    assert.equal(talk.last?.code, 454)
    assert.ok(talk.breakdown instanceof WireError)
    assert.equal(await talk.say('MAIL FROM:<secret@sender.test>'), undefined)
    assert.doesNotMatch(talk.conversation.clear.fromSender, /secret/)
  })

  it('gives a message up where TLS is not begun in the middle of it, if told so', async () => {
    const answers: Record<string, string> = { STARTTLS: '503 5.5.1 Not now', RSET: '250 2.0.0 Reset' }
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.write('220 mx.gateway.test\r\n')
      createInterface({ input: socket }).on('line', line => {
        socket.write(`${answers[line] ?? '250 OK'}\r\n`)
        if (line === 'RSET') answers['STARTTLS'] = '454 4.7.0 Not at all'
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const { port } = server.address() as AddressInfo
    const talk = await Dialogue.open({ host: '127.0.0.1', port }, { domain: 'sender.test', flow })
    await talk.greet()
    await talk.say(talk.mail)
    await talk.startTls({ givesUpMessage: true })
    talk.close()
    server.close()
    assert.deepEqual(codes(talk), [250, 250, 503, 250, 454])
    assert.match(talk.breakdown!.message, /454/)
    assert.equal(talk.refusedMidway?.code, 454)
    assert.match(replyOfKind(talk, '5').detail, /^STARTTLS is refused once a message has begun: 454/)
  })

  it('knows an alert that answers what was smuggled before the handshake has begun', async () => {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 10])
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.write('220 mx.gateway.test\r\n')
      createInterface({ input: socket }).on('line', line => {
        if (line === 'NOOP') socket.end(Buffer.concat([Buffer.from('220 Go ahead\r\n'), alert]))
        else if (line !== 'STARTTLS') socket.write('250 OK\r\n')
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const network = { resolver: '127.0.0.1:9', partnerPort: 9 }
    const flow = await standardFlow(reference(), { pki, network })
    const { port } = server.address() as AddressInfo
    const talk = await Dialogue.open({ host: '127.0.0.1', port }, { domain: 'sender.test', flow })
    await talk.greet()
    await talk.smuggle('a NOOP behind STARTTLS in a segment of its own')
    talk.close()
    server.close()
    assert.equal(talk.breakdown?.breakdown, 'handshake failed')
    assert.match(nothingTookEffect(talk, true).detail, /^it ended the session at the handshake: .*an alert$/)
  })

  it('logs in with the right password, and with a wrong one', async () => {
    const talk = await dialogue({}, 'submission')
    await talk.greet()
    await talk.startTls()
    await talk.greet()
    assert.equal((await talk.login('wrong'))?.code, 535)
    assert.equal((await talk.login('right'))?.code, 235)
  })

  for (const [what, segments] of Object.entries(SMUGGLED) as [Smuggled, readonly string[]][])
    it(`smuggles ${what}, and goes on inside TLS`, async () => {
      const talk = await dialogue()
      await talk.greet()
      await talk.smuggle(what)
      assert.equal(talk.smuggled, what)
      const { clear } = talk.conversation
      const shown = segments.join('').replaceAll('\r\n', '\\r\\n')
      assert.ok(clear.fromSender.includes(shown), clear.fromSender)
      const inside = talk.replies.filter(({ secured }) => secured).map(({ code }) => code)
      // What comes after the gateway has begun to listen for a ClientHello breaks the handshake.
      if (segments.length > 1 && talk.breakdown?.breakdown === 'handshake failed') return
      assert.equal(talk.breakdown, undefined)
      assert.deepEqual(inside, what.startsWith('a greeting') ? [503, 221] : [250, 221])
      assert.deepEqual(talk.surplus, [])
    })

  it('is given away by what was smuggled where that takes effect', async () => {
    const talk = await dialogue({ executesEarlyBytes: 'all' })
    await talk.greet()
    await talk.smuggle('a NOOP behind STARTTLS')
    const inside = talk.replies.filter(({ secured }) => secured)
    assert.ok(inside.length + talk.surplus.length > 2 || inside[1]?.code !== 221)
  })
})
