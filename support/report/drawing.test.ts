import assert from 'node:assert/strict'
import { sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { Conversation, WireEvent } from '../wire/conversation.ts'
import { detailOf } from '../wire/event-detail.ts'
import { drawing, factsOf } from './drawing.ts'
import { transcript } from './transcript.ts'

const { verdicts } = sampleRun()
const seenIn = (id: string, title: string): Conversation[] =>
  verdicts.find(verdict => verdict.requirement === id && verdict.title.includes(title))!.seen.conversations
const [overTls] = seenIn('EXO-FRC-01', 'with TLS') as [Conversation]
const [expired] = seenIn('EXO-FRC-07', 'expired') as [Conversation]
const [inClear] = seenIn('EXO-FRC-01', 'without TLS') as [Conversation]
const [smuggled] = seenIn('RFC3207-08', 'AUTH') as [Conversation]

describe('drawing', () => {
  it('tells apart what is unencrypted, the handshake, and what is inside TLS', () => {
    const { bands, summary } = drawing(overTls)
    assert.deepEqual(
      bands.map(({ way, label }) => [way, label]),
      [
        ['clear', 'unencrypted'],
        ['handshake', 'TLS handshake'],
        ['tls', 'inside TLS 1.3'],
      ],
    )
    assert.equal(summary, '10 lines unencrypted, 16 inside TLS 1.3, 37 ms')
  })

  it('marks every arrow by itself with the way that it took', () => {
    for (const conversation of verdicts.flatMap(({ seen }) => seen.conversations))
      for (const { way, rows } of drawing(conversation).bands)
        for (const row of rows) if (row.kind === 'arrow' && way !== 'handshake') assert.equal(row.way, way)
    const [, handshake] = drawing(smuggled).bands
    const bytes = handshake!.rows.find(
      row => row.kind === 'arrow' && row.lines[0]!.text.startsWith('not TLS'),
    )
    assert.equal(bytes?.kind === 'arrow' && bytes.way, 'clear')
  })

  it('puts the lines of a reply on one arrow, and leaves out the middle of a long one but not STARTTLS', () => {
    const [clear] = drawing(overTls).bands
    const ehlo = clear!.rows[3]
    assert.equal(ehlo?.kind === 'arrow' && ehlo.lines.length, 6)
    const [first, ...events] = overTls.events
    const reply = (text: string): WireEvent => ({
      ...{ at: first!.at, from: 'receiver', secured: false, text },
      ...detailOf('reply', text),
    })
    const word = (n: number) => String.fromCharCode(65 + n, 65)
    const many = [
      ...Array.from({ length: 20 }, (_, n) => reply(`250-${word(n)}`)),
      reply('250-STARTTLS'),
      ...Array.from({ length: 5 }, (_, n) => reply(`250-Z${word(n)}`)),
      reply('250 END'),
    ]
    const [long] = drawing({ ...overTls, events: [...many, ...events] }).bands
    const [row] = long!.rows
    assert.ok(row?.kind === 'arrow')
    const texts = row.lines.map(({ text }) => text)
    assert.equal(texts.length, 11)
    assert.ok(texts.includes('250-STARTTLS') && texts.includes('… 17 lines left out'))
    assert.equal(texts.at(-1), '250 END')
  })

  it('shows the facts after the last word of the handshake', () => {
    const [, handshake] = drawing(expired).bands
    assert.deepEqual(
      handshake!.rows.map(({ kind }) => kind),
      ['arrow', 'arrow', 'arrow', 'facts', 'mark', 'mark'],
    )
  })

  it('shows facts that no event tells of', () => {
    const { bands } = drawing({ ...inClear, handshake: { error: 'reset' } })
    assert.equal(bands.at(-1)?.rows[0]?.kind, 'facts')
    assert.ok(!drawing({ ...inClear, handshake: {} }).bands.some(({ way }) => way === 'handshake'))
  })

  it('marks a refusal and the message itself', () => {
    const rows = drawing(inClear).bands.flatMap(band => band.rows)
    assert.equal(rows.filter(row => row.kind === 'arrow' && row.weight === 'heavy').length, 1)
    const events = inClear.events.map(event =>
      event.kind === 'reply' && event.last ? { ...event, code: 550 } : event,
    )
    const refused = drawing({ ...inClear, events }).bands.flatMap(band => band.rows)
    assert.ok(refused.some(row => row.kind === 'arrow' && row.lines.some(({ refusal }) => refusal)))
  })

  it('survives a conversation without anything in it', () => {
    assert.deepEqual(drawing({ ...inClear, events: [] }).bands, [])
    assert.equal(drawing({ ...inClear, events: [] }).summary, '0 lines unencrypted')
  })
})

describe('factsOf', () => {
  const fact = (conversation: Conversation, wanted: string) =>
    factsOf(conversation).find(({ name }) => name === wanted)

  it('tells what was offered, agreed and shown', () => {
    assert.equal(fact(overTls, 'Offered')?.text, 'TLS 1.3, TLS 1.2; SNI mx.p7.verified.test')
    assert.equal(fact(overTls, 'Agreed')?.text, 'TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768')
    assert.equal(
      fact(overTls, 'Receiver shows')?.text,
      'p7.verified.test, mx.p7.verified.test; from CN=Mail TLS test root; valid 2026-11-23 to 2026-12-24',
    )
    assert.equal(fact(overTls, 'Receiver shows')?.trouble, '')
    assert.equal(fact(overTls, 'Sender shows'), undefined)
  })

  it('says what is wrong with a certificate at the time of the conversation', () => {
    assert.equal(fact(expired, 'Receiver shows')?.trouble, 'expired')
    const early = { ...overTls, startedAt: '2026-01-01T00:00:00Z' }
    assert.equal(fact(early, 'Receiver shows')?.trouble, 'not valid yet')
    assert.equal(fact(expired, 'Failed')?.trouble, 'ssl/tls alert bad certificate')
  })

  it('says when a certificate was asked for and not shown', () => {
    const asked = { ...overTls, handshake: { ...overTls.handshake, clientCertificateRequested: true } }
    assert.equal(fact(asked, 'Sender shows')?.text, 'no certificate, though it was asked for')
  })
})

describe('transcript', () => {
  it('is whole, one event per line', () => {
    const text = transcript(overTls)
    assert.match(text, /^sender --> {4}haraka\.gateway\.test \(the gateway under test\)$/m)
    assert.match(text, /^ +\d+\.\d ms {2}--> {2}\[clear\] {2}STARTTLS$/m)
    assert.match(text, /^ +\d+\.\d ms {2}<-- {2}\[TLS\] {4}250 2\.0\.0 Taken$/m)
    assert.equal(text.match(/^ +\d+\.\d ms/gm)?.length, overTls.events.length)
  })

  it('lets no event forge a line', () => {
    const [event] = overTls.events
    const text = transcript({
      ...overTls,
      events: [{ ...event!, text: 'a\n  1.0 ms  -->  [TLS]  b\u001b[2J' }],
    })
    assert.equal(text.match(/^ +\d+\.\d ms/gm)?.length, 1)
    assert.ok(!text.includes('\u001b'))
  })
})
