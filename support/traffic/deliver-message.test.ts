import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { mock } from 'node:test'
import type { Handover } from '../evidence/handover.ts'
import { Pki } from '../pki/pki.ts'
import { type ListenerOptions, SmtpListener } from '../test-bed/fixtures/smtp-listener.ts'
import { Recorder } from '../wire/recorder.ts'
import { CLIENT_MANNERS, type ClientManner, type History } from './client-manner.ts'
import { handOver, type SenderBehaviour } from './deliver-message.ts'
import { compose } from './message.ts'

const FROM = 'sender@client.test'
const TO = 'inbox@gateway.test'
const UNENCRYPTED: SenderBehaviour = { tls: 'does not use' }

describe('a client', () => {
  let listener: SmtpListener
  const pki = new Pki()
  afterEach(() => listener.close())

  const message = compose({ from: FROM, to: [TO] })
  const { content, token } = message
  const size = content.length
  const half = Math.ceil(size / 2)
  // One line of the text begins with a dot, and one is two dots.
  const stuffed = content.replace(/(^|\n)\./g, '$1..')

  async function deliver(
    manner: ClientManner | undefined,
    { behaviour = UNENCRYPTED, ...options }: ListenerOptions & { behaviour?: SenderBehaviour } = {},
  ): Promise<Handover> {
    listener = await SmtpListener.start(options)
    return handOver(message, {
      endpoint: listener.endpoint,
      hostname: 'mx.gateway.test',
      behaviour,
      pki,
      ...(manner ? { manner } : {}),
    })
  }

  const EHLO = 'EHLO mail.client.test'
  const MAIL = `MAIL FROM:<${FROM}>`
  const RCPT = `RCPT TO:<${TO}>`
  const POSTMASTER = 'RCPT TO:<postmaster@gateway.test>'
  const DATA = ['DATA', stuffed]
  const PLAIN = [EHLO, MAIL, RCPT, ...DATA, 'QUIT']
  const withMail = (mail: string) => [EHLO, `MAIL FROM:${mail}`, RCPT, ...DATA, 'QUIT']
  const withRcpts = (...rcpts: string[]) => [EHLO, MAIL, ...rcpts, ...DATA, 'QUIT']

  const SAID: [ClientManner | undefined, string[]][] = [
    [undefined, PLAIN],
    [{}, PLAIN],
    [{ greeting: 'HELO before EHLO' }, ['HELO mail.client.test', ...PLAIN]],
    [{ greeting: 'EHLO twice' }, [EHLO, ...PLAIN]],
    [{ greeting: 'EHLO with an address literal' }, ['EHLO [127.0.0.1]', ...PLAIN.slice(1)]],
    [{ greeting: 'HELO in place of EHLO' }, ['HELO mail.client.test', ...PLAIN.slice(1)]],
    [
      { commandCase: 'lower case' },
      ['ehlo mail.client.test', `mail from:<${FROM}>`, `rcpt to:<${TO}>`, 'data', stuffed, 'QUIT'],
    ],
    [
      { commandCase: 'mixed case' },
      ['EhLo mail.client.test', `MaIl FrOm:<${FROM}>`, `RcPt To:<${TO}>`, 'DaTa', stuffed, 'QUIT'],
    ],
    [
      { commandEnd: 'a blank before the line end' },
      [`${EHLO} `, `${MAIL} `, `${RCPT} `, 'DATA ', stuffed, 'QUIT'],
    ],
    [{ parameters: 'SIZE' }, withMail(`<${FROM}> SIZE=${size}`)],
    [{ parameters: 'BODY' }, withMail(`<${FROM}> BODY=8BITMIME`)],
    [{ parameters: 'SIZE and BODY' }, withMail(`<${FROM}> SIZE=${size} BODY=8BITMIME`)],
    [{ parameters: 'SMTPUTF8' }, withMail(`<${FROM}> SMTPUTF8`)],
    [{ parameters: 'RET and ENVID' }, withMail(`<${FROM}> RET=HDRS ENVID=${token}+2Bprobe`)],
    [{ extraCommands: 'RSET before MAIL' }, [EHLO, 'RSET', ...PLAIN.slice(1)]],
    [{ extraCommands: 'VRFY before MAIL' }, [EHLO, 'VRFY inbox', ...PLAIN.slice(1)]],
    [{ extraCommands: 'NOOP between commands' }, [EHLO, 'NOOP', MAIL, 'NOOP', RCPT, 'NOOP', ...DATA, 'QUIT']],
    [{ sender: 'null' }, withMail('<>')],
    [{ sender: 'quoted local part' }, withMail('<"sender quoted"@client.test>')],
    [{ sender: 'quoted local part with an at sign' }, withMail('<"sender@elsewhere.test"@client.test>')],
    [{ sender: 'source route' }, withMail(`<@first.elsewhere.test,@second.elsewhere.test:${FROM}>`)],
    [{ sender: 'domain in capitals' }, withMail('<sender@CLIENT.TEST>')],
    [{ sender: 'local part of 64 characters' }, withMail(`<${'sender'.padEnd(64, 'x')}@client.test>`)],
    [{ recipients: 'two, the mailbox first' }, withRcpts(RCPT, POSTMASTER)],
    [{ recipients: 'two, the mailbox second' }, withRcpts(POSTMASTER, RCPT)],
    [{ recipients: 'the mailbox twice' }, withRcpts(RCPT, RCPT)],
    [
      { recipients: 'one that does not exist, then the mailbox' },
      withRcpts(`RCPT TO:<nobody-${token}@gateway.test>`, RCPT),
    ],
    [{ transfer: 'DATA with the envelope pipelined' }, PLAIN],
    [{ transfer: 'BDAT in one chunk' }, [EHLO, MAIL, RCPT, `BDAT ${size} LAST`, content, 'QUIT']],
    [
      { transfer: 'BDAT in several chunks' },
      [
        ...[EHLO, MAIL, RCPT, `BDAT ${half}`, content.slice(0, half)],
        ...[`BDAT ${size - half}`, content.slice(half), 'BDAT 0 LAST', 'QUIT'],
      ],
    ],
    [
      { transfer: 'BDAT with the envelope pipelined' },
      [EHLO, MAIL, RCPT, `BDAT ${size} LAST`, content, 'QUIT'],
    ],
    [{ commandWrites: 'single bytes' }, PLAIN],
    [{ commandWrites: 'two halves' }, PLAIN],
    [{ messageWrites: 'pieces of 1 KiB' }, PLAIN],
    [{ messageWrites: 'the final dot apart' }, PLAIN],
    [{ commandWrites: 'single bytes', transfer: 'DATA with the envelope pipelined' }, PLAIN],
  ]

  for (const [manner, said] of SAID)
    it(`says what ${JSON.stringify(manner ?? 'no manner')} has`, async () => {
      const { accepted, declined, reply, stage } = await deliver(manner)
      assert.deepEqual(listener.heard[0]!.lines, said)
      assert.deepEqual([accepted, declined, reply?.text, stage], [true, undefined, '250 ok', 'content'])
    })

  const bytes = (...lines: string[]) => lines.map(line => line.length + 2)
  const ones = (...lines: string[]) =>
    Array.from({ length: bytes(...lines).reduce((a, b) => a + b) }, () => 1)
  const dot = stuffed.length + 3
  const PIECES: [ClientManner, number[]][] = [
    [{}, [...bytes(EHLO, MAIL, RCPT, 'DATA'), dot, 6]],
    [{ commandWrites: 'single bytes' }, [...ones(EHLO, MAIL, RCPT, 'DATA'), dot, ...ones('QUIT')]],
    [
      { commandWrites: 'two halves' },
      [...bytes(EHLO, MAIL, RCPT, 'DATA').flatMap(n => [Math.ceil(n / 2), Math.floor(n / 2)]), dot, 3, 3],
    ],
    [{ messageWrites: 'pieces of 1 KiB' }, [...bytes(EHLO, MAIL, RCPT, 'DATA'), 1024, dot - 1024, 6]],
    [
      { messageWrites: 'the final dot apart' },
      [...bytes(EHLO, MAIL, RCPT, 'DATA'), dot - 5, 1, 1, 1, 1, 1, 6],
    ],
    [
      { transfer: 'DATA with the envelope pipelined' },
      [EHLO.length + 2, bytes(MAIL, RCPT, 'DATA').reduce((a, b) => a + b), dot, 6],
    ],
    [
      { transfer: 'BDAT with the envelope pipelined' },
      [EHLO.length + 2, bytes(MAIL, RCPT, `BDAT ${size} LAST`).reduce((a, b) => a + b) + size, 6],
    ],
  ]
  for (const [manner, pieces] of PIECES)
    it(`writes in pieces what ${JSON.stringify(manner)} has`, async () => {
      const sent = mock.method(Recorder.prototype, 'sent')
      await deliver(manner)
      sent.mock.restore()
      const written = sent.mock.calls.map(({ arguments: [chunk] }) => chunk.length)
      assert.deepEqual(written, pieces)
    })

  describe('with TLS', () => {
    const TLS: SenderBehaviour = { tls: 'uses' }
    let identity: { key: string; cert: string }
    before(async () => {
      const { key, certificate } = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
      identity = { key, cert: certificate }
    })
    const secured = (manner: ClientManner, more: ListenerOptions['tls'] = {}) =>
      deliver(manner, { behaviour: TLS, tls: { ...identity, ...more } })

    it('says the same inside TLS', async () => {
      const { accepted, earlier } = await secured({ greeting: 'EHLO twice', commandCase: 'lower case' })
      assert.deepEqual([accepted, earlier], [true, undefined])
      const ehlo = EHLO.replace('EHLO', 'ehlo')
      const [mail, rcpt] = [`mail from:<${FROM}>`, `rcpt to:<${TO}>`]
      assert.deepEqual(listener.heard[0]!.lines, [
        ...[ehlo, ehlo, 'starttls', ehlo, ehlo, mail, rcpt, 'data', stuffed, 'QUIT'],
      ])
    })

    /** [manner, version, server name] */
    const HANDSHAKES: [ClientManner, string, string | undefined][] = [
      [{}, 'TLSv1.3', 'mx.gateway.test'],
      [{ tlsVersion: 'TLS 1.2 at most' }, 'TLSv1.2', 'mx.gateway.test'],
      [{ serverName: 'none' }, 'TLSv1.3', undefined],
      [{ serverName: 'in capitals' }, 'TLSv1.3', 'MX.GATEWAY.TEST'],
      [{ serverName: 'another name' }, 'TLSv1.3', 'mx.elsewhere.test'],
      ...CLIENT_MANNERS.clientHello.map(
        clientHello => [{ clientHello }, 'TLSv1.3', 'mx.gateway.test'] as [ClientManner, string, string],
      ),
    ]
    for (const [manner, version, name] of HANDSHAKES)
      it(`makes a session with ${JSON.stringify(manner)}`, async () => {
        const { accepted, conversations, declined } = await secured(manner)
        const { handshake } = conversations[0]!
        assert.deepEqual(
          [accepted, declined, handshake?.version, handshake?.offered?.serverName],
          [true, undefined, version, name],
        )
      })

    /** Of the ClientHello: the lengths of its writes, and of its records. */
    async function helloOf(manner: ClientManner): Promise<{ writes: number[]; records: number[] }> {
      const sent = mock.method(Recorder.prototype, 'sent')
      const received = mock.method(Recorder.prototype, 'received')
      await secured(manner)
      sent.mock.restore()
      received.mock.restore()
      const chunks = sent.mock.calls.map(({ arguments: [chunk] }) => chunk)
      const begin = chunks.findIndex(chunk => chunk.toString() === 'STARTTLS\r\n') + 1
      const bytes = Buffer.concat(chunks.slice(begin))
      const records: number[] = []
      // The first record that is no part of a handshake message is a ChangeCipherSpec: RFC 8446 appendix D.4.
      for (let at = 0; bytes[at] === 22; at += 5 + records.at(-1)!) records.push(bytes.readUInt16BE(at + 3))
      const length = records.reduce((sum, one) => sum + 5 + one, 0)
      let whole = 0
      const writes = chunks.slice(begin).flatMap(chunk => {
        whole += chunk.length
        return whole <= length ? [chunk.length] : []
      })
      return { writes, records }
    }

    it('writes its hello at once where the manner has nothing else', async () => {
      const { writes, records } = await helloOf({})
      assert.deepEqual([writes.length, records.length], [1, 1])
      assert.ok(writes[0]! > 1460 && writes[0]! < 1700, String(writes[0]))
    })

    it('writes its hello in single bytes', async () => {
      const { writes, records } = await helloOf({ clientHello: 'single bytes' })
      assert.deepEqual([writes.every(length => length === 1), records.length], [true, 1])
    })

    it('writes its hello in pieces of 64 bytes', async () => {
      const { writes, records } = await helloOf({ clientHello: 'pieces of 64 bytes' })
      assert.deepEqual(
        [[...new Set(writes.slice(0, -1))], writes.length > 20, records.length],
        [[64], true, 1],
      )
    })

    it('spreads its hello over two records', async () => {
      const { writes, records } = await helloOf({ clientHello: 'two records' })
      assert.deepEqual([writes.length, records.length], [1, 2])
      assert.ok(Math.abs(records[0]! - records[1]!) <= 1)
    })

    for (const [clientHello, length] of [
      ['of 4,500 bytes', 4_500],
      ['of 350 bytes', 350],
    ] as const)
      it(`has a hello ${clientHello}`, async () => {
        const { writes, records } = await helloOf({ clientHello })
        assert.deepEqual([writes.length, records.length], [1, 1])
        assert.ok(Math.abs(writes[0]! - length) < length / 10, String(writes[0]))
      })

    for (const [manner, version] of [
      [{ session: 'resumed by ticket' }, 'TLSv1.3'],
      [{ session: 'resumed by ticket', tlsVersion: 'TLS 1.2 at most' }, 'TLSv1.2'],
      [{ session: 'resumed by id' }, 'TLSv1.2'],
    ] as [ClientManner, string][])
      it(`resumes its session with ${JSON.stringify(manner)}`, async () => {
        const { accepted, declined, leftOut, earlier, conversations } = await secured(manner)
        assert.equal(leftOut, undefined)
        const [first, second] = listener.heard
        assert.deepEqual(first!.lines, [EHLO, 'STARTTLS', EHLO, 'NOOP', 'QUIT'])
        assert.deepEqual([first!.resumed, second!.resumed], [false, true])
        assert.deepEqual([accepted, declined, earlier?.length], [true, undefined, 1])
        assert.equal(conversations.length, 1)
        assert.equal(conversations[0]!.handshake?.version, version)
        assert.equal(conversations[0]!.handshake?.resumed, version === 'TLSv1.2' ? true : undefined)
      })

    it('begins a message before TLS and takes it back', async () => {
      const { accepted } = await secured({ extraCommands: 'MAIL and RSET before STARTTLS' })
      assert.equal(accepted, true)
      assert.deepEqual(listener.heard[0]!.lines, [EHLO, MAIL, 'RSET', 'STARTTLS', ...PLAIN])
    })

    it('knows a gateway that ends a session in which a message began before TLS', async () => {
      const manner: ClientManner = { extraCommands: 'MAIL and RSET before STARTTLS' }
      const { accepted, declined } = await deliver(manner, {
        behaviour: TLS,
        tls: identity,
        replies: line => (line === MAIL ? '421 4.7.0 bye' : undefined),
      })
      assert.deepEqual([accepted, declined], [false, 'MAIL and RSET before STARTTLS: 421 4.7.0 bye'])
    })

    it('knows a gateway that does not resume sessions', async () => {
      const withoutTickets = {
        ...identity,
        secureOptions: constants.SSL_OP_NO_TICKET,
        maxVersion: 'TLSv1.2' as const,
      }
      const { accepted, declined, leftOut } = await deliver(
        { session: 'resumed by ticket' },
        { behaviour: TLS, tls: withoutTickets, forgetsSessions: true },
      )
      assert.deepEqual(
        [accepted, declined, leftOut],
        [true, undefined, 'a session resumed by ticket: the gateway began a fresh one'],
      )
    })

    it('knows a gateway that has no TLS 1.2', async () => {
      const { breakdown, declined } = await secured(
        { tlsVersion: 'TLS 1.2 at most' },
        { minVersion: 'TLSv1.3' },
      )
      assert.equal(breakdown?.kind, 'handshake failure')
      assert.match(declined!, /^TLS 1\.2 at most: handshake failure: .*protocol version/)
    })
  })

  const ELSEWHERE = 'RCPT TO:<nobody@elsewhere.test>'
  /** The whole transaction of another message; its content is shown by a word. */
  const ANOTHER = [MAIL, RCPT, 'DATA', 'another']
  const another = (lines: readonly string[]) =>
    lines.map(line => (line.includes('Subject: ') && !line.includes(token) ? 'another' : line))

  const EARLIER: [ClientManner, string[], ListenerOptions['replies']?][] = [
    [{ earlierOnConnection: 'an accepted message' }, [EHLO, ...ANOTHER, ...PLAIN.slice(1)]],
    [{ earlierOnConnection: 'a message that it took back' }, [EHLO, MAIL, RCPT, 'RSET', ...PLAIN.slice(1)]],
    [
      { earlierOnConnection: 'a refused recipient' },
      [EHLO, MAIL, ELSEWHERE, 'RSET', ...PLAIN.slice(1)],
      line => (line === ELSEWHERE ? '550 5.7.1 no relay' : undefined),
    ],
    [{ earlierOnConnection: 'a refused recipient' }, [EHLO, MAIL, ELSEWHERE, 'RSET', ...PLAIN.slice(1)]],
    [
      { earlierOnConnection: 'an accepted message' },
      [EHLO, MAIL, 'RSET', ...PLAIN.slice(1)],
      (line, [one]) =>
        line === MAIL && one!.lines.filter(said => said === MAIL).length === 1 ? '550 5.7.1 no' : undefined,
    ],
  ]
  for (const [manner, said, replies] of EARLIER)
    it(`has ${JSON.stringify(manner)} on the connection before its message`, async () => {
      const { accepted, declined, earlier, conversations } = await deliver(manner, replies ? { replies } : {})
      assert.deepEqual(another(listener.heard[0]!.lines), said)
      assert.deepEqual([accepted, declined, earlier, conversations.length], [true, undefined, undefined, 1])
    })

  it('says that an earlier message on the connection ended it', async () => {
    const replies = (line: string) => (line === '.' ? '421 4.7.0 one is enough' : undefined)
    const { accepted, declined, stage } = await deliver(
      { earlierOnConnection: 'an accepted message' },
      { replies },
    )
    assert.deepEqual([accepted, stage], [false, 'EHLO'])
    assert.equal(declined, 'an accepted message before it: 421 4.7.0 one is enough')
  })

  it('gives the reply to its own message, not to an earlier one', async () => {
    const replies = (line: string, [one]: readonly { lines: string[] }[]) =>
      line === MAIL && one!.lines.filter(said => said === MAIL).length > 1 ? '550 5.7.1 not again' : undefined
    const { accepted, declined, reply, stage } = await deliver(
      { earlierOnConnection: 'an accepted message' },
      { replies },
    )
    assert.deepEqual([accepted, declined, reply?.code, stage], [false, undefined, 550, 'MAIL'])
  })

  const HISTORIES: [History, RegExp[]][] = [
    ['a delivery of the same client', [/^EHLO mail\.client\.test$/, /^STARTTLS$/, /^another$/, /^QUIT$/]],
    [
      'an unencrypted delivery of another client',
      [/^EHLO mail\.d\d+-.*\.stranger\.test$/, /^another$/, /^QUIT$/],
    ],
    ['a failed handshake of the same client', [/^EHLO mail\.client\.test$/, /^STARTTLS$/]],
    ['a refused message of the same client', [/^STARTTLS$/, /^RCPT TO:<nobody@elsewhere\.test>$/, /^QUIT$/]],
    ['a message of the same client that was cut off', [/^STARTTLS$/, /^DATA$/]],
  ]
  for (const [history, said] of HISTORIES)
    it(`has ${history} before its own`, async () => {
      const { key, certificate: cert } = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
      const { accepted, declined, earlier, conversations } = await deliver(
        { history },
        { tls: { key, cert } },
      )
      const [first, second] = listener.heard
      const lines = another(first!.lines)
      let at = 0
      for (const pattern of said) {
        at = lines.findIndex((line, i) => i >= at && pattern.test(line))
        assert.ok(at >= 0, `${pattern} in ${lines}`)
      }
      assert.equal(first!.tls !== undefined, !/unencrypted|failed/.test(history))
      assert.deepEqual(second!.lines, PLAIN)
      assert.deepEqual([accepted, declined, earlier?.length, conversations.length], [true, undefined, 1, 1])
    })

  describe('that is refused for now', () => {
    /** The reply to the first such line alone. */
    const once = (verb: string, reply: string): ListenerOptions => ({
      replies: (line, heard) => (line.startsWith(verb) && heard.length === 1 ? reply : undefined),
    })
    const REFUSALS: Record<string, ListenerOptions> = {
      'at the greeting': {
        greeting: heard => (heard.length === 1 ? '421 4.7.0 Too many connections' : '220 listener ESMTP'),
      },
      'at EHLO': once('EHLO', '421 4.3.2 Busy'),
      'at MAIL': once('MAIL', '450 4.2.0 Greylisted'),
      'at RCPT': once('RCPT', '450 4.7.1 Greylisted, see you in 0 seconds'),
      'at DATA': once('DATA', '451 4.3.0 Later'),
      'at the end of the message': once('.', '452 4.3.1 No space now'),
    }
    for (const [where, options] of Object.entries(REFUSALS))
      it(`${where} comes again with the same envelope, and keeps the record of it`, async () => {
        const { accepted, conversations, earlier } = await deliver({}, options)
        assert.deepEqual([accepted, conversations.length, earlier?.length], [true, 1, 1])
        assert.deepEqual(listener.heard.at(-1)!.lines, PLAIN)
        assert.equal(listener.heard.length, 2)
      })

    it('at STARTTLS comes again', async () => {
      const identity = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
      const { accepted, reply } = await deliver(
        {},
        {
          ...once('STARTTLS', '454 4.7.0 Too many new TLS sessions'),
          tls: { key: identity.key, cert: identity.certificate },
          behaviour: { tls: 'uses' },
        },
      )
      assert.deepEqual([accepted, reply?.secured], [true, true])
    })

    const FINAL = {
      'for good': '550 5.7.1 Never',
      'because TLS is missing': '450 4.7.10 Use TLS',
      'because its domain is not in DNS': '450 4.1.8 Sender address rejected: Domain not found',
    }
    for (const [why, refusal] of Object.entries(FINAL))
      it(`${why} does not come again`, async () => {
        const { accepted } = await deliver({}, once('MAIL', refusal))
        assert.deepEqual([accepted, listener.heard.length], [false, 1])
      })

    it('gives up after some tries, with the reply', async () => {
      const { reply, earlier } = await deliver(
        {},
        { replies: line => (line === MAIL ? '450 4.2.0 Greylisted for an hour' : undefined) },
      )
      assert.equal(reply?.code, 450)
      assert.equal(earlier?.length, listener.heard.length - 1)
      assert.ok(listener.heard.length > 2)
    })
  })

  it('has one history after the other', async () => {
    const { earlier } = await deliver({
      earlierHistory: 'an unencrypted delivery of another client',
      history: 'a refused message of the same client',
    })
    assert.deepEqual([earlier?.length, listener.heard.length], [2, 3])
    assert.match(listener.heard[0]!.lines[0]!, /stranger/)
    assert.match(listener.heard[1]!.lines[0]!, /client/)
  })

  /** What a reply makes of a manner: [accepted, declined, stage, last reply, copies]. */
  const ANSWERED: [ClientManner, Record<string, string>, unknown[]][] = [
    [
      { parameters: 'SMTPUTF8' },
      { MAIL: '555 what' },
      [false, 'the parameter SMTPUTF8: 555 what', 'MAIL', 555],
    ],
    [{ parameters: 'SMTPUTF8' }, { MAIL: '550 5.7.1 not you' }, [false, undefined, 'MAIL', 550]],
    [{ parameters: 'SMTPUTF8' }, { MAIL: '451 4.7.1 later' }, [false, undefined, 'MAIL', 451]],
    [
      { recipients: 'two, the mailbox first' },
      { [POSTMASTER]: '452 4.5.3 one is enough' },
      [true, 'the recipients: two, the mailbox first: 452 4.5.3 one is enough', 'content', 250],
    ],
    [{ recipients: 'two, the mailbox first' }, {}, [true, undefined, 'content', 250, 2]],
    [
      { recipients: 'two, the mailbox second' },
      { [RCPT]: '550 5.7.10 use TLS' },
      [true, undefined, 'content', 250],
    ],
    [
      { recipients: 'two, the mailbox first' },
      { RCPT: '550 5.7.10 use TLS' },
      [false, undefined, 'RCPT', 550],
    ],
    [
      { recipients: 'one that does not exist, then the mailbox' },
      { [`RCPT TO:<nobody-${token}@gateway.test>`]: '550 5.1.1 who' },
      [true, undefined, 'content', 250],
    ],
    [
      { transfer: 'DATA with the envelope pipelined' },
      { MAIL: '530 5.7.0 use TLS', RCPT: '503 no', DATA: '503 no' },
      [false, undefined, 'MAIL', 530],
    ],
    [
      { transfer: 'DATA with the envelope pipelined' },
      { RCPT: '550 5.7.1 no', DATA: '554 nobody' },
      [false, undefined, 'RCPT', 550],
    ],
    [
      { transfer: 'DATA with the envelope pipelined' },
      { RCPT: '550 5.7.1 no', '.': '554 nobody' },
      [false, undefined, 'RCPT', 550],
    ],
    [
      { transfer: 'BDAT with the envelope pipelined' },
      { MAIL: '530 5.7.0 use TLS', RCPT: '503 no', BDAT: '503 no' },
      [false, undefined, 'MAIL', 530],
    ],
    [
      { transfer: 'BDAT with the envelope pipelined' },
      { BDAT: '554 5.7.1 no' },
      [false, undefined, 'content', 554],
    ],
    [{ transfer: 'BDAT in several chunks' }, { BDAT: '554 5.7.1 no' }, [false, undefined, 'content', 554]],
    [{ extraCommands: 'NOOP between commands' }, { NOOP: '421 bye' }, [false, undefined, 'EHLO', 421]],
    [
      { transfer: 'DATA with the envelope pipelined' },
      { MAIL: '421 4.7.0 later' },
      [false, undefined, 'MAIL', 421],
    ],
    [{ extraCommands: 'VRFY before MAIL' }, { VRFY: '550 who' }, [true, undefined, 'content', 250]],
  ]
  for (const [manner, answers, [accepted, declined, stage, code, copies]] of ANSWERED)
    it(`takes ${JSON.stringify(answers)} to ${JSON.stringify(manner)} for what it is`, async () => {
      const replies = (line: string) => answers[line] ?? answers[line.split(/[ :]/, 1)[0]!]
      const result = await deliver(manner, { replies })
      assert.deepEqual(
        [result.accepted, result.declined, result.stage, result.reply?.code, result.copies],
        [accepted, declined, stage, code, copies],
      )
      // Every reply found its command: QUIT got its own where the listener did not close before.
      if (code !== 421) assert.equal(listener.heard[0]!.lines.at(-1), 'QUIT')
      const replied = result.conversations[0]!.events.filter(({ kind }) => kind === 'reply')
      assert.match(replied.at(-1)!.text, code === 421 ? /^421/ : /^221/)
    })

  for (const [manner, keyword] of [
    [{ transfer: 'BDAT in one chunk' }, 'CHUNKING'],
    [{ transfer: 'BDAT with the envelope pipelined' }, 'CHUNKING'],
    [{ transfer: 'DATA with the envelope pipelined' }, 'PIPELINING'],
    [{ parameters: 'SIZE' }, 'SIZE'],
    [{ parameters: 'BODY' }, '8BITMIME'],
    [{ parameters: 'SMTPUTF8' }, 'SMTPUTF8'],
    [{ parameters: 'RET and ENVID' }, 'DSN'],
  ] as [ClientManner, string][])
    it(`leaves where EHLO does not list ${keyword} for ${JSON.stringify(manner)}`, async () => {
      const { accepted, declined } = await deliver(manner, { keywords: ['HELP'] })
      assert.deepEqual(listener.heard[0]!.lines, [EHLO, 'QUIT'])
      assert.equal(accepted, false)
      assert.ok(declined!.endsWith(`: EHLO does not list ${keyword}`), declined)
    })

  const CUT: [ClientManner, RegExp][] = [
    [{}, /^DATA$/],
    [{ transfer: 'DATA with the envelope pipelined' }, /^DATA$/],
    [{ transfer: 'BDAT in one chunk' }, /^RCPT/],
    [{ transfer: 'BDAT in several chunks' }, /^RCPT/],
  ]
  for (const [manner, last] of CUT)
    it(`cuts the connection in the middle of the message with ${JSON.stringify(manner)}`, async () => {
      const { accepted, breakdown, stage } = await deliver(manner, {
        behaviour: { tls: 'does not use', cuts: true },
      })
      assert.deepEqual([accepted, breakdown?.kind, stage], [false, 'connection closed', 'content'])
      assert.match(listener.heard[0]!.lines.at(-1)!, last)
    })

  it('ends no message where it cuts the connection, whatever lines it has', async () => {
    const dots = compose({ from: FROM, to: [TO], text: 'lines that begin with dots', size: 5_000 })
    listener = await SmtpListener.start()
    const behaviour: SenderBehaviour = { tls: 'does not use', cuts: true }
    const { endpoint } = listener
    await handOver(dots, { endpoint, hostname: 'mx.gateway.test', behaviour, pki })
    assert.equal(listener.heard[0]!.lines.at(-1), 'DATA')
  })

  describe('goes on unencrypted', () => {
    let tls: { key: string; cert: string }
    before(async () => {
      const { key, certificate } = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
      tls = { key, cert: certificate }
    })

    for (const [endsTlsIn, said] of [
      ['MAIL', [EHLO, 'STARTTLS', ...PLAIN]],
      ['the message', [EHLO, 'STARTTLS', ...PLAIN]],
      ['a chunk', [EHLO, 'STARTTLS', EHLO, MAIL, RCPT, `BDAT ${size} LAST`, content, 'QUIT']],
    ] as const) {
      it(`where it ends TLS in ${endsTlsIn}, with a gateway that lets it`, async () => {
        const result = await deliver({}, { behaviour: { tls: 'uses', endsTlsIn }, tls, isTolerant: true })
        const { accepted, reply, stage, conversations } = result
        assert.deepEqual([accepted, reply?.secured, stage], [true, false, 'content'])
        assert.deepEqual(listener.heard[0]!.lines, said)
        const rest = endsTlsIn === 'MAIL' ? MAIL.slice(Math.floor((MAIL.length + 2) / 2)) : 'xxxx'
        assert.ok(conversations[0]!.clear.fromSender.includes(rest))
        assert.equal(conversations[0]!.handshake?.version, 'TLSv1.3')
      })

      it(`where it ends TLS in ${endsTlsIn}, and sees a gateway that closes`, async () => {
        const { accepted, breakdown, stage } = await deliver(
          {},
          { behaviour: { tls: 'uses', endsTlsIn }, tls },
        )
        assert.deepEqual(
          [accepted, breakdown?.kind, stage],
          [false, 'connection closed', endsTlsIn === 'MAIL' ? 'MAIL' : 'content'],
        )
      })
    }

    it('with a chunk where the gateway takes chunks alone', async () => {
      const behaviour: SenderBehaviour = { tls: 'uses', endsTlsIn: 'a chunk' }
      const { declined } = await deliver({}, { behaviour, tls, keywords: ['PIPELINING'] })
      assert.equal(declined, 'BDAT in one chunk: EHLO does not list CHUNKING')
    })

    const FAILING: SenderBehaviour = { tls: 'uses', maxVersion: 'TLSv1.1', staysAfterFailedHandshake: true }

    it('after a failed handshake, with a gateway that lets it', async () => {
      const result = await deliver({}, { behaviour: FAILING, tls, isTolerant: true })
      const { accepted, failedHandshake, reply, conversations, breakdown } = result
      assert.deepEqual([accepted, reply?.secured, breakdown], [true, false, undefined])
      assert.match(failedHandshake!, /protocol version/)
      assert.deepEqual(listener.heard[0]!.lines, [EHLO, 'STARTTLS', ...PLAIN])
      assert.ok(conversations[0]!.clear.fromSender.includes(token))
      assert.match(conversations[0]!.handshake!.error!, /protocol version/)
    })

    it('after a failed handshake, with a gateway that then refuses it', async () => {
      const replies = (line: string) => (line === MAIL ? '530 5.7.0 use TLS' : undefined)
      const result = await deliver({}, { behaviour: FAILING, tls, isTolerant: true, replies })
      assert.deepEqual([result.accepted, result.stage, result.reply?.code], [false, 'MAIL', 530])
    })

    it('after a failed handshake, and sees a gateway that closes', async () => {
      const { accepted, breakdown, stage, failedHandshake } = await deliver({}, { behaviour: FAILING, tls })
      assert.deepEqual([accepted, breakdown?.kind, stage], [false, 'handshake failure', 'handshake'])
      assert.match(failedHandshake!, /protocol version/)
    })

    it('not at all where the handshake succeeds', async () => {
      const behaviour: SenderBehaviour = { tls: 'uses', staysAfterFailedHandshake: true }
      const { accepted, failedHandshake, reply } = await deliver({}, { behaviour, tls, isTolerant: true })
      assert.deepEqual([accepted, failedHandshake, reply?.secured], [true, undefined, true])
    })
  })

  describe('sends text of 8 bits', () => {
    const eightBit = compose({ from: FROM, to: [TO], text: '8-bit' })
    const send = async (options: ListenerOptions, manner: ClientManner = {}) => {
      listener = await SmtpListener.start(options)
      const { endpoint } = listener
      return handOver(eightBit, {
        endpoint,
        hostname: 'mx.gateway.test',
        behaviour: UNENCRYPTED,
        manner,
        pki,
      })
    }
    for (const manner of [{}, { parameters: 'BODY' }, { transfer: 'BDAT in one chunk' }] as ClientManner[])
      it(`as it is and says so, with ${JSON.stringify(manner)}`, async () => {
        const { accepted, declined } = await send({}, manner)
        assert.deepEqual([accepted, declined], [true, undefined])
        const { lines } = listener.heard[0]!
        assert.equal(lines[1], `${MAIL} BODY=8BITMIME`)
        assert.ok(lines.some(line => line.includes('\r\nGr\xc3\xbc\xc3\x9fe aus ')))
      })

    it('to nobody who does not take it', async () => {
      const { declined } = await send({ keywords: ['PIPELINING'] })
      assert.equal(declined, 'a text of 8 bits: EHLO does not list 8BITMIME')
      assert.deepEqual(listener.heard[0]!.lines, [EHLO, 'QUIT'])
    })
  })
})
