import assert from 'node:assert/strict'
import { type CommandFields, commandFields, type ReplyFields, replyFields } from './line-fields.ts'

describe('the fields of a command', () => {
  const COMMANDS: Record<string, CommandFields> = {
    'MAIL FROM:<a@b.test> SIZE=7': { verb: 'MAIL', argument: 'FROM:<a@b.test> SIZE=7', address: 'a@b.test' },
    'rcpt to: <c@D.test>': { verb: 'RCPT', argument: 'to: <c@D.test>', address: 'c@D.test' },
    'MAIL FROM:<>': { verb: 'MAIL', argument: 'FROM:<>', address: '' },
    'EHLO  x.test': { verb: 'EHLO', argument: 'x.test' },
    'StArTtLs\\r\\nNoOp\\r\\n': { verb: 'STARTTLS', argument: '\\r\\nNoOp\\r\\n' },
    MAILX: { verb: 'MAILX', argument: '' },
    ' DATA': { verb: '', argument: 'DATA' },
    '': { verb: '', argument: '' },
  }
  for (const [line, fields] of Object.entries(COMMANDS))
    it(`of ${JSON.stringify(line)}`, () => assert.deepEqual(commandFields(line), fields))
})

describe('the fields of a reply line', () => {
  const REPLIES: Record<string, ReplyFields> = {
    '250-STARTTLS': { code: 250, words: 'STARTTLS', keyword: 'STARTTLS', parameters: '', last: false },
    '250 size 1000': { code: 250, words: 'size 1000', keyword: 'SIZE', parameters: '1000', last: true },
    '250-mx.a.test': { code: 250, words: 'mx.a.test', last: false },
    '250 2.1.0 Noted': { code: 250, enhanced: '2.1.0', words: '2.1.0 Noted', last: true },
    '530 5.7.0 Start TLS': { code: 530, enhanced: '5.7.0', words: '5.7.0 Start TLS', last: true },
    '220 5.7': { code: 220, words: '5.7', last: true },
    '354': { code: 354, words: '', last: true },
    '2500 OK': { words: '2500 OK', last: true },
    '650 OK': { words: '650 OK', last: true },
    hello: { words: 'hello', last: true },
  }
  for (const [line, fields] of Object.entries(REPLIES))
    it(`of ${JSON.stringify(line)}`, () => assert.deepEqual(replyFields(line), fields))
})
