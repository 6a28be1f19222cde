import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HttpAddress, MailboxFailure } from './http.ts'
import { labMailbox, mailhogMailbox } from './mailhog.ts'

const TOKEN = 'token-a79bcb577d8af231'
const CONTENT = [
  'X-8bit: grüße',
  'From: <a@stranger.test>',
  `Subject: ${TOKEN}`,
  '',
  `The word is ${TOKEN}.`,
  '.a dot at the beginning',
  '..',
  'blanks at the end  ',
  '',
].join('\r\n')

/** One item of an answer of MailHog 1.0.1, recorded; only what a message varies is filled in. */
const item = (data: string) => ({
  ID: '96BaEqnHDDkTqEdisaxHJoe9m_y3Fkr1E8Etww__ZGQ=@mailhog.example',
  From: { Relays: null, Mailbox: 'a', Domain: 'stranger.test', Params: '' },
  To: [{ Relays: null, Mailbox: 'inbox', Domain: 'gateway.test', Params: '' }],
  Content: {
    Headers: { From: ['<a@stranger.test>'], Subject: [TOKEN] },
    Body: 'parsed',
    Size: 1197,
    MIME: null,
  },
  Created: '2026-11-24T19:14:54.961010112Z',
  MIME: null,
  Raw: { From: 'a@stranger.test', To: ['inbox@gateway.test'], Data: data, Helo: 'mail.stranger.test' },
})
/** As Go writes JSON: angle brackets escaped, everything else as it is. */
const answer = (...data: string[]) =>
  JSON.stringify({ total: data.length, count: data.length, start: 0, items: data.map(item) })
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
const EMPTY = '{"total":0,"count":0,"start":0,"items":[]}'
/** MailHog keeps content without its last line end. */
const kept = CONTENT.slice(0, -2)
/** As in every message of the suite: one character for each byte. */
const inBytes = (text: string) => Buffer.from(text).toString('latin1')

describe('a mailbox in MailHog', () => {
  let server: Server
  let address: HttpAddress
  let asked: IncomingMessage[]
  let reply: (response: ServerResponse, turn: number) => void

  const gives = (text: string) => {
    reply = response => response.setHeader('content-type', 'application/json').end(text)
  }
  const failsWith = (message: RegExp, options = {}) =>
    assert.rejects(mailhogMailbox(address, options).find(TOKEN), error => {
      assert.ok(error instanceof MailboxFailure, String(error))
      assert.match(error.message, message)
      return true
    })

  beforeEach(async () => {
    asked = []
    server = createServer((request, response) => {
      asked.push(request)
      reply(response, asked.length)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    address = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hog` }
  })

  afterEach(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  it('gives back a message as it was sent', async () => {
    gives(answer(kept))
    assert.deepEqual(await mailhogMailbox(address).find(TOKEN), [
      { content: inBytes(CONTENT), from: 'a@stranger.test', to: ['inbox@gateway.test'] },
    ])
    assert.equal(asked[0]!.url, `/hog/api/v2/search?kind=containing&query=${TOKEN}&limit=50`)
    assert.equal(asked[0]!.headers.authorization, undefined)
  })

  it('gives back the same from the maildir storage', async () => {
    gives(answer(`${kept}\n`))
    assert.equal((await mailhogMailbox(address).find(TOKEN))[0]!.content, inBytes(CONTENT))
  })

  it('keeps an empty line at the end', async () => {
    gives(answer(`${kept}\r\n`))
    assert.equal((await mailhogMailbox(address).find(TOKEN))[0]!.content, inBytes(`${CONTENT}\r\n`))
  })

  it('gives all copies, oldest first, and no message that does not contain the text', async () => {
    gives(answer(`${kept} second`, `${kept} first`, kept.toUpperCase()))
    const contents = (await mailhogMailbox(address).find(TOKEN)).map(({ content }) => content)
    assert.deepEqual(contents, [`${kept} first\r\n`, `${kept} second\r\n`].map(inBytes))
  })

  it('does not spoil a character that comes in two pieces', async () => {
    const bytes = Buffer.from(answer(kept))
    const middle = bytes.indexOf('ü') + 1
    reply = response => {
      response.write(bytes.subarray(0, middle), () =>
        setImmediate(() => response.end(bytes.subarray(middle))),
      )
    }
    assert.equal((await mailhogMailbox(address).find(TOKEN))[0]!.content, inBytes(CONTENT))
    const { port } = server.address() as AddressInfo
    const own = labMailbox({ host: '127.0.0.1', port, auth: 'lab:secret' })
    assert.equal((await own.find(TOKEN))[0]!.content, inBytes(CONTENT))
    assert.equal(asked.length, 3)
    assert.equal(asked[1]!.headers.authorization, asked[2]!.headers.authorization)
  })

  it('is asked again until the message has arrived', async () => {
    reply = (response, turn) => response.end(turn < 4 ? EMPTY : answer(kept))
    assert.equal((await mailhogMailbox(address).await(TOKEN)).length, 1)
    assert.equal(asked.length, 4)
  })

  it('is asked a last time when the wait is over', async () => {
    gives(EMPTY)
    assert.deepEqual(await mailhogMailbox(address, { wait: 60 }).await(TOKEN), [])
    assert.ok(asked.length >= 2, `asked ${asked.length} times`)
    assert.ok(asked.length <= 4, `asked ${asked.length} times`)
  })

  it('gets the credentials, and never prints them', async () => {
    address = { ...address, authorization: 'Basic cHJvYmU6c2VjcmV0' }
    reply = response => response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
    await assert.rejects(mailhogMailbox(address).find(TOKEN), error => {
      assert.ok(error instanceof MailboxFailure)
      assert.equal(error.message, `the mailbox at ${address.url} answers with HTTP status 401`)
      return true
    })
    assert.equal(asked[0]!.headers.authorization, 'Basic cHJvYmU6c2VjcmV0')
  })

  it('fails if there is no MailHog at its address', async () => {
    reply = response => response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
    await failsWith(/answers with HTTP status 404/)
    reply = response => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
    await failsWith(/cannot be asked: unexpected redirect/)
  })

  it('fails if something else than MailHog answers', async () => {
    for (const text of [
      '',
      '<html>',
      '[]',
      'null',
      '{"items":[{}]}',
      '{"items":[{"Raw":{"Data":1,"From":"","To":[]}}]}',
    ]) {
      gives(text)
      await failsWith(/is not MailHog's$/)
    }
  })

  it('fails if the answer does not end', async () => {
    reply = response => {
      const more = () => response.destroyed || response.write('x'.repeat(4096), more)
      more()
    }
    await failsWith(/answers with more than 20000 bytes/, { maxAnswer: 20_000 })
  })

  it('of the lab is asked with its password, and fails in the same way', async () => {
    const { port } = server.address() as AddressInfo
    const own = labMailbox({ host: '127.0.0.1', port, auth: 'lab:secret' })
    const ascii = kept.replace('grüße', 'regards')
    gives(answer(`${ascii} second`, `${ascii} first`, ascii.toUpperCase()))
    assert.deepEqual(
      (await own.find(TOKEN)).map(({ content, from }) => [content, from]),
      [`${ascii} first\r\n`, `${ascii} second\r\n`].map(content => [content, 'a@stranger.test']),
    )
    assert.equal(asked[0]!.url, `/api/v2/search?kind=containing&query=${TOKEN}&limit=50`)
    assert.equal(asked[0]!.headers.authorization, `Basic ${Buffer.from('lab:secret').toString('base64')}`)
    gives(EMPTY)
    assert.deepEqual(await own.find(TOKEN), [])
    for (const wrong of ['<html>', '', '{"items":[{}]}']) {
      gives(wrong)
      await assert.rejects(own.find(TOKEN), MailboxFailure)
    }
  })

  it('fails if nothing answers', async () => {
    await new Promise(resolve => server.close(resolve))
    await failsWith(/^the mailbox at http:\/\/127\.0\.0\.1:\d+\/hog cannot be asked: connect ECONNREFUSED/)
  })
})
