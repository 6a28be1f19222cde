import assert from 'node:assert/strict'
import { Recorder } from '../wire/recorder.ts'
import { nothingInClear, waitedForAnswer } from './wire.ts'

describe('judging what followed smuggled answers', () => {
  /** Up to the go-ahead with what is smuggled behind it. */
  function begun() {
    const recorder = new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'mx.a.test' })
    recorder.event('sender', 'command', 'STARTTLS')
    recorder.event('receiver', 'reply', '220 2.0.0 Go ahead')
    return recorder
  }

  it('takes the end of the session by the gateway for a refusal', () => {
    const recorder = begun()
    recorder.event('sender', 'close', 'closed')
    assert.deepEqual(waitedForAnswer([recorder.conversation], { smuggled: 'answer', alive: true }), {
      kind: 'kept',
      refusal: true,
      detail: 'it ended the session at what was smuggled',
    })
  })

  it('takes no crash for a refusal', () => {
    const recorder = begun()
    recorder.event('sender', 'close', 'closed')
    const seen = waitedForAnswer([recorder.conversation], { smuggled: 'answer', alive: false })
    assert.equal(seen.kind, 'unclear')
  })

  it('knows nothing where no handshake was begun and the gateway did not end the session', () => {
    const recorder = begun()
    recorder.event('receiver', 'close', 'closed')
    assert.equal(
      waitedForAnswer([recorder.conversation], { smuggled: 'answer', alive: true }).kind,
      'unclear',
    )
    assert.equal(waitedForAnswer([], { smuggled: 'answer', alive: true }).kind, 'unclear')
  })
})

describe('judging what crossed in clear', () => {
  for (const early of ['MAIL FROM:<a@b.test>', 'VRFY a@b.test'])
    for (const end of ['\r\n', '\n'])
      it(`sees ${early.slice(0, 4)} behind STARTTLS and ${JSON.stringify(end)}`, () => {
        const recorder = new Recorder({ gatewayIs: 'sender', sender: 'gateway', receiver: 'partner' })
        recorder.received(Buffer.from(`STARTTLS${end}${early}\r\n`))
        const seen = nothingInClear([recorder.conversation], 'token')
        assert.equal(seen.kind, 'broken')
        assert.match(seen.detail, /^(MAIL|VRFY) crossed the wire in clear, behind STARTTLS/)
      })
})
