import assert from 'node:assert/strict'
import { mock } from 'node:test'
import type { Handover } from '../evidence/handover.ts'
import { Pki } from '../pki/pki.ts'
import { type ListenerOptions, SmtpListener } from '../test-bed/fixtures/smtp-listener.ts'
import { Recorder } from '../wire/recorder.ts'
import { handOver, type SenderBehaviour } from './delivering.ts'
import type { ClientManner } from './manner.ts'
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
})
