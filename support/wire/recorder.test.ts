import assert from 'node:assert/strict'
import { MAX_CLEAR, Recorder } from './recorder.ts'
import { WireError } from './wire-error.ts'

describe('the record of a connection', () => {
  const recording = () => {
    const recorder = new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'mx.d1.test' })
    const limits: string[] = []
    recorder.whenFull(limit => limits.push(limit.message))
    return { recorder, limits, conversation: recorder.conversation }
  }

  it('tells who said what in clear, and survives JSON', () => {
    const { recorder, conversation } = recording()
    recorder.received(Buffer.from('EHLO a\r\n'))
    recorder.sent(Buffer.from('250 b\r\n'))
    const { clear, ...rest } = JSON.parse(JSON.stringify(conversation))
    assert.deepEqual(clear, { fromSender: 'EHLO a\\r\\n', fromReceiver: '250 b\\r\\n' })
    assert.deepEqual(rest.events, [])
  })

  it('keeps clear bytes up to its bound and then wants the connection to end', () => {
    const { recorder, limits, conversation } = recording()
    recorder.received(Buffer.alloc(MAX_CLEAR, 'x'))
    assert.deepEqual([conversation.truncated, limits], [undefined, []])
    recorder.received(Buffer.from('MAIL'))
    assert.equal(conversation.truncated, true)
    assert.deepEqual(limits, [`more than ${MAX_CLEAR} unencrypted bytes`])
    assert.equal(conversation.clear.fromSender.length, MAX_CLEAR)
    assert.deepEqual(
      conversation.events.map(({ kind, from }) => ({ kind, from })),
      [{ kind: 'error', from: 'receiver' }],
    )
    recorder.received(Buffer.from('MAIL'))
    assert.equal(limits.length, 1)
  })

  it('cuts a chunk at its bound', () => {
    const { recorder, limits, conversation } = recording()
    recorder.received(Buffer.alloc(MAX_CLEAR + 5_000, 'x'))
    assert.equal(conversation.clear.fromSender.length, MAX_CLEAR)
    assert.equal(limits.length, 1)
  })

  it('owns up to missing bytes of our own, but does not end the connection over them', () => {
    const { recorder, limits, conversation } = recording()
    recorder.sent(Buffer.alloc(MAX_CLEAR + 5_000, 'x'))
    assert.deepEqual([conversation.truncated, limits], [true, []])
    recorder.received(Buffer.alloc(MAX_CLEAR + 5_000, 'x'))
    assert.equal(limits.length, 1)
  })

  it('keeps events up to its bound, and the end of the connection in any case', () => {
    const { recorder, limits, conversation } = recording()
    for (let n = 0; n < 400; n++) recorder.event('sender', 'command', `NOOP ${n}`)
    assert.deepEqual([conversation.truncated, limits], [undefined, []])
    recorder.event('sender', 'command', 'MAIL FROM:<>')
    recorder.event('sender', 'command', 'RCPT TO:<a@d1.test>')
    recorder.event('sender', 'close', 'closed')
    assert.equal(conversation.truncated, true)
    assert.deepEqual(limits, ['more than 400 events'])
    assert.deepEqual(
      conversation.events.slice(399).map(({ kind }) => kind),
      ['command', 'error', 'close'],
    )
  })

  it('closes once', () => {
    const { recorder, conversation } = recording()
    assert.equal(conversation.closed, false)
    recorder.event('receiver', 'close', 'first')
    recorder.event('sender', 'close', 'second')
    assert.equal(conversation.closed, true)
    assert.deepEqual(
      conversation.events.map(({ text }) => text),
      ['first'],
    )
  })

  it('notes what is no TLS where TLS is due, for each side by itself', () => {
    const { recorder, conversation } = recording()
    recorder.expectTls('sender')
    recorder.sent(Buffer.from('220 Go ahead\r\n'))
    assert.equal(conversation.events.length, 0)
    recorder.received(Buffer.from('MAIL FROM:<>\r\n'))
    assert.partialDeepStrictEqual(conversation.events, [
      { kind: 'bytes', from: 'sender', secured: false, text: 'not TLS: MAIL FROM:<>\\r\\n' },
    ])
    assert.equal(conversation.clear.fromSender, 'MAIL FROM:<>\\r\\n')
    recorder.expectTls('receiver')
    recorder.sent(Buffer.from('250 ok\r\n'))
    assert.equal(conversation.events.at(-1)?.from, 'receiver')
  })

  it('goes on noting where TLS was not spoken, until that too is too much', () => {
    const { recorder, limits, conversation } = recording()
    recorder.expectTls('sender')
    for (let n = 0; n < 500; n++) recorder.received(Buffer.from('NOOP\r\n'))
    assert.equal(limits.length, 1)
    assert.equal(conversation.truncated, true)
    assert.equal(conversation.events.filter(({ kind }) => kind === 'bytes').length, 400)
  })

  it('tells a failure of the lab from one of the peer', () => {
    const { recorder, conversation } = recording()
    recorder.failed(new WireError('handshake failure', 'unknown ca'))
    assert.equal(conversation.labError, undefined)
    recorder.failed(new Error('no key'))
    assert.equal(conversation.labError, 'no key')
    const { error, breakdown } = conversation.handshake!
    assert.deepEqual([error, breakdown], ['unknown ca', 'handshake failure'])
  })
})
