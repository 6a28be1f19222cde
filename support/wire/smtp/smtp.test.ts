import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Loopback } from '../../test-bed/fixtures/loopback.ts'
import { Recorder } from '../recorder.ts'
import { SmtpClient, WireError } from './smtp.ts'

describe('an SMTP client', () => {
  let server: Loopback
  afterEach(() => server.close())

  async function connected(script: (socket: Socket) => void) {
    const gone = Promise.withResolvers<void>()
    server = await Loopback.start(socket => {
      socket.on('close', () => gone.resolve())
      script(socket)
    })
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx' })
    const client = await SmtpClient.connect(server.endpoint, recorder)
    return { client, conversation: recorder.conversation, gone: gone.promise }
  }

  const breaks = async (promise: Promise<unknown>, breakdown: string, detail: RegExp) => {
    await assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof WireError, String(error))
      assert.equal(error.breakdown, breakdown)
      assert.match(error.message, detail)
      return true
    })
  }

  it('reads replies of one line and of many', async () => {
    const { client } = await connected(socket =>
      socket.write('220-mx\r\n220-second\r\n220 2.0.0 last\r\n250 ok\n'),
    )
    assert.deepEqual(await client.reply(), {
      code: 220,
      lines: ['mx', 'second', '2.0.0 last'],
      text: '220 mx / second / 2.0.0 last',
      secured: false,
    })
    assert.equal((await client.reply()).code, 250)
  })

  it('reads a reply that comes byte by byte', async () => {
    const { client } = await connected(async socket => {
      for (const byte of '550-5.7.1 no\r\n550 never\r\n') if (!socket.write(byte)) await once(socket, 'drain')
    })
    const reply = await client.reply()
    assert.deepEqual([reply.code, reply.enhanced, reply.lines.length], [550, '5.7.1', 2])
  })

  it('keeps replies that nobody waited for', async () => {
    const { client } = await connected(socket => socket.write('220 a\r\n250 b\r\n'))
    assert.equal((await client.reply()).code, 220)
    assert.deepEqual(
      client.unread.map(({ code }) => code),
      [250],
    )
    assert.equal((await client.reply()).code, 250)
    assert.equal(client.unread.length, 0)
  })

  it('stuffs dots and ends the message', async () => {
    const heard: string[] = []
    const { client } = await connected(socket =>
      socket.on('data', chunk => {
        heard.push(chunk.toString())
        if (heard.join('').endsWith('\r\n.\r\n')) socket.write('250 taken\r\n')
      }),
    )
    assert.equal((await client.content('.a\n..b\r\nc.\n\n.')).code, 250)
    assert.equal(heard.join(''), '..a\r\n...b\r\nc.\r\n\r\n..\r\n.\r\n')
  })

  for (const [what, bytes, detail] of [
    ['an endless line', 'x'.repeat(9000), /a line of more than 8192 bytes/],
    ['an endless reply', '250-more\r\n'.repeat(201), /a reply of more than 200 lines/],
    ['garbage', '\x00\x16\x03 what?\r\n', /not an SMTP reply: \\x00\\x16\\x03 what\?/],
    ['a code of no meaning', '650 well\r\n', /not an SMTP reply: 650 well/],
  ] as const)
    it(`breaks off over ${what}`, async () => {
      const { client, conversation, gone } = await connected(socket => socket.write(bytes))
      await breaks(client.reply(), 'unexpected answer', detail)
      await gone
      assert.equal(conversation.closed, true)
    })

  it('reads a reply of the greatest number of lines', async () => {
    const { client } = await connected(socket => socket.write(`${'250-more\r\n'.repeat(199)}250 end\r\n`))
    assert.equal((await client.reply()).lines.length, 200)
  })

  it('ends a connection whose replies have no end, and says that its record is not whole', async () => {
    const { client, conversation, gone } = await connected(socket => {
      const more = () => {
        while (socket.write('250 ok\r\n'.repeat(1000)));
      }
      socket.on('drain', more)
      more()
    })
    await gone
    assert.equal(conversation.truncated, true)
    assert.ok(client.unread.length <= 400)
    await breaks(client.command('NOOP'), 'unexpected answer', /more than 400 events/)
  })

  // The number of the first one is that of a line feed.
  for (const number of [10, 40]) {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, number])
    it(`knows alert ${number} in place of a reply`, async () => {
      const { client } = await connected(async socket => {
        for (const byte of alert) if (!socket.write(Buffer.from([byte]))) await once(socket, 'drain')
      })
      await breaks(client.reply(), 'unexpected answer', /a TLS alert in place of a reply/)
    })

    it(`calls it a failed handshake where alert ${number} comes before it`, async () => {
      const { client, gone } = await connected(socket => {
        socket.write(Buffer.concat([Buffer.from('220 go\r\n'), alert]))
      })
      assert.equal((await client.reply()).code, 220)
      await gone
      await breaks(client.startTls({}), 'handshake failure', /with an alert/)
    })
  }

  it('waits no longer than it was told to', async () => {
    const { client } = await connected(socket => socket.once('data', () => socket.write('250 late\r\n')))
    await breaks(client.reply(10), 'no answer', /no reply within 0.01 s/)
    assert.equal((await client.command('NOOP')).code, 250)
  })

  it('knows a connection that closes in the middle of a reply', async () => {
    const { client, conversation } = await connected(socket => socket.end('220-mx\r\n'))
    await breaks(client.reply(), 'connection closed', /the receiver closed the connection/)
    assert.equal(conversation.closed, true)
    await breaks(client.command('NOOP'), 'connection closed', /the receiver closed/)
  })

  it('gives a reply that came before the end', async () => {
    const { client } = await connected(socket => socket.end('421 bye\r\n'))
    assert.equal((await client.reply()).code, 421)
    await breaks(client.reply(), 'connection closed', /the receiver closed/)
  })

  it('knows a reset', async () => {
    const { client } = await connected(socket => socket.once('data', () => socket.resetAndDestroy()))
    await breaks(client.command('EHLO probe'), 'connection closed', /ECONNRESET/)
  })

  it('knows when nobody listens', async () => {
    server = await Loopback.start(() => {})
    await server.close()
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx' })
    await breaks(SmtpClient.connect(server.endpoint, recorder), 'no connection', /ECONNREFUSED/)
    assert.equal(recorder.conversation.closed, true)
    server = await Loopback.start(() => {})
  })

  for (const way of ['close', 'cut'] as const)
    it(`lets whoever waits know when it is told to ${way}`, async () => {
      const { client, conversation, gone } = await connected(() => {})
      const reply = client.reply()
      client[way]()
      await breaks(reply, 'connection closed', /by the sender/)
      await gone
      assert.deepEqual(
        conversation.events.map(({ kind, from }) => [kind, from]),
        [
          ['open', 'sender'],
          ['close', 'sender'],
        ],
      )
    })

  it('says QUIT and goes', async () => {
    const heard: string[] = []
    const { client, gone } = await connected(socket =>
      socket.on('data', chunk => {
        heard.push(chunk.toString())
        socket.write('221 bye\r\n')
      }),
    )
    await client.quit()
    await gone
    assert.deepEqual(heard, ['QUIT\r\n'])
    await client.quit()
  })
})
