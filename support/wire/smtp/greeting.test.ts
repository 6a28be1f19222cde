import assert from 'node:assert/strict'
import { SmtpListener } from '../../test-bed/fixtures/smtp-listener.ts'
import { greets, timeToGreet } from './greeting.ts'

describe('a server on a new connection', () => {
  let server: SmtpListener
  afterEach(() => server.close())

  it('greets also where it turned the client away before', async () => {
    server = await SmtpListener.start({
      greeting: ({ length }) => (length < 2 ? '421 4.3.2 later' : '220 mx ESMTP'),
    })
    assert.ok(await greets(server.endpoint))
    assert.equal(server.heard.length, 2)
  })

  it('takes as long as the connection takes on which it greets, without the pause before', async () => {
    server = await SmtpListener.start({
      greeting: ({ length }) => (length < 3 ? '421 4.3.2 later' : '220 mx ESMTP'),
    })
    const began = performance.now()
    const time = await timeToGreet(server.endpoint)
    assert.ok(time > 0 && time < (performance.now() - began) / 2, String(time))
  })
})
