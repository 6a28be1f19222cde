import assert from 'node:assert/strict'
import { longConversation } from '../test-bed/fixtures/sample-run.ts'
import type { WireEvent } from '../wire/conversation.ts'
import { detailOf, type PlainKind } from '../wire/event-detail.ts'
import { excerpt } from './excerpt.ts'

const event = (text: string, kind: PlainKind = 'command'): WireEvent => ({
  ...{ at: 0, secured: false, text, ...detailOf(kind, text) },
  from: kind === 'reply' ? 'receiver' : 'sender',
})
const told = (events: WireEvent[]) =>
  excerpt(events).map(shown => ('hidden' in shown ? shown.hidden : shown.event.text))

describe('excerpt', () => {
  it('leaves a short conversation whole', () => {
    const events = ['EHLO a', 'MAIL', 'RCPT TO:<1>', 'RCPT TO:<2>', 'DATA'].map(text => event(text))
    assert.deepEqual(told(events), ['EHLO a', 'MAIL', 'RCPT TO:<1>', 'RCPT TO:<2>', 'DATA'])
  })

  it('leaves out repetitions, also when they take turns with others', () => {
    const { events } = longConversation()
    const shown = told(events)
    assert.deepEqual(shown.slice(-12), [
      'RCPT TO:<user0@gateway.test>',
      '503 5.5.1 No sender yet',
      'RCPT TO:<user1@gateway.test>',
      '503 5.5.1 No sender yet',
      394,
      'RCPT TO:<user199@gateway.test>',
      '503 5.5.1 No sender yet',
      'DATA',
      '530 5.7.0 Must issue a STARTTLS command first',
      'QUIT',
      '221 2.0.0 mx.p7.verified.test closes',
      'closed after QUIT',
    ])
  })

  it('counts every event once', () => {
    const { events } = longConversation()
    const sum = excerpt(events).reduce((count, shown) => count + ('hidden' in shown ? shown.hidden : 1), 0)
    assert.equal(sum, events.length)
  })

  it('keeps what decides from the middle of a long conversation without repetitions', () => {
    const word = (n: number) => String.fromCharCode(97 + (n % 26), 97 + (Math.floor(n / 26) % 26))
    const events = Array.from({ length: 400 }, (_, n) => event(`XCMD ${word(n)}`))
    const request: WireEvent = {
      ...{ at: 0, from: 'receiver', secured: false, text: 'CertificateRequest' },
      kind: 'certificate-request',
    }
    events.splice(
      200,
      0,
      event('STARTTLS'),
      event('554 no', 'reply'),
      request,
      event('message of 3 bytes', 'content'),
    )
    const shown = told(events)
    assert.ok(shown.length <= 130, `${shown.length} rows`)
    for (const text of ['XCMD aa', 'STARTTLS', '554 no', 'CertificateRequest', 'message of 3 bytes'])
      assert.ok(shown.includes(text), text)
    assert.equal(shown.at(-1), events.at(-1)!.text)
  })

  it('stays bounded when everything decides', () => {
    const events = Array.from({ length: 400 }, (_, n) =>
      event(`554 ${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))}`, 'reply'),
    )
    assert.ok(told(events).length <= 125)
  })
})
