import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MailboxFailure } from './http.ts'
import { usersMailbox } from './users-mailbox.ts'

const TOKEN = 'token-a79bcb577d8af231'
const CONTENT = `Return-Path: <a@stranger.test>\r\nTo: <b@gateway.test>\r\nSubject: ${TOKEN}\r\n\r\nüber\r\n`
/** As Mailpit 1.27 answers; only what a message varies is filled in. */
const INFO = JSON.stringify({ Version: 'v1.27.11', Database: '/tmp/mailpit.db', Messages: 1, Unread: 1 })
const list = (...ids: string[]) =>
  JSON.stringify({ total: 2, messages: ids.map(ID => ({ ID, Subject: '' })) })

describe('a mailbox in Mailpit or MailHog', () => {
  let server: Server
  let url: string
  let asked: string[]
  let answers: Record<string, string | undefined>

  beforeEach(async () => {
    asked = []
    server = createServer((request, response) => {
      const path = request.url!.replace(/\?.*/, '')
      asked.push(path)
      const answer = answers[path]
      response.writeHead(answer === undefined ? 404 : 200).end(answer)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pit`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  it('is read as Mailpit where Mailpit answers, the oldest copy first', async () => {
    answers = {
      '/pit/api/v1/info': INFO,
      '/pit/api/v1/search': list('two', 'one'),
      '/pit/api/v1/message/one/raw': CONTENT,
      '/pit/api/v1/message/two/raw': CONTENT.replace('a@stranger.test', ''),
    }
    const found = await usersMailbox({ url }).find(TOKEN)
    assert.deepEqual(
      found.map(({ from, to }) => [from, to]),
      [
        ['a@stranger.test', ['b@gateway.test']],
        ['', ['b@gateway.test']],
      ],
    )
    assert.equal(found[0]!.content, Buffer.from(CONTENT).toString('latin1'), 'bytes as they are')
  })

  it('is read as MailHog where Mailpit does not answer', async () => {
    answers = { '/pit/api/v2/search': '{"total":0,"count":0,"start":0,"items":[]}' }
    const mailbox = usersMailbox({ url })
    assert.deepEqual(await mailbox.find(TOKEN), [])
    assert.deepEqual(await mailbox.find(TOKEN), [])
    const [search, info] = ['/pit/api/v2/search', '/pit/api/v1/info']
    assert.deepEqual(asked, [info, search, search], 'it is found out once')
  })

  it('is no mailbox where the answer is none of Mailpit', async () => {
    answers = { '/pit/api/v1/info': INFO, '/pit/api/v1/search': '{"messages":[{"ID":1}]}' }
    const refused = (error: unknown) =>
      error instanceof MailboxFailure && /answers is not Mailpit's$/.test(error.message)
    await assert.rejects(usersMailbox({ url }).find(TOKEN), refused)
  })

  it('cannot be asked where nothing listens', async () => {
    server.close()
    await assert.rejects(usersMailbox({ url }).find(TOKEN), /cannot be asked: .*ECONNREFUSED/)
  })
})
