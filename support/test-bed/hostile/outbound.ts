import type { Misdeed } from './bed.ts'
import { deliver, receive, type Taken } from './gateway.ts'
import { Gone, Peer } from './peer.ts'
import { record } from './tls13.ts'

type Delivery = NonNullable<Misdeed['delivery']>

/** On one connection, after the greeting. */
const talks =
  (act: (peer: Peer, taken: Taken) => Promise<unknown>): Delivery =>
  async (port, taken) => {
    const peer = Peer.call(port)
    await peer.reply()
    await act(peer, taken)
  }

/** As `talks`, after the go-ahead to STARTTLS, or after EHLO where there is none. */
const startsTls = (act: (peer: Peer, taken: Taken) => Promise<unknown>): Delivery =>
  talks(async (peer, taken) => {
    await peer.command('EHLO gateway.test')
    await peer.command('STARTTLS')
    await act(peer, taken)
  })

const insideTls = (act: (peer: Peer, taken: Taken) => Promise<unknown>): Delivery =>
  startsTls(async (peer, taken) => {
    await peer.callTls()
    await peer.command('EHLO gateway.test')
    await act(peer, taken)
  })

const envelope = ({ from, to }: Taken): string =>
  [`MAIL FROM:<${from}>`, ...to.map(recipient => `RCPT TO:<${recipient}>`), 'DATA', ''].join('\r\n')

async function hammer(port: number, running: () => boolean, act: (peer: Peer) => void): Promise<void> {
  while (running()) {
    for (let n = 0; n < 50; n++) {
      const peer = Peer.call(port)
      act(peer)
      peer.socket.setTimeout(5_000, () => peer.socket.destroy())
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export const DELIVERY: Record<string, readonly [expected: string, does: Delivery]> = {
  'makes thousands of connections': ['II II', (port, _taken, { running }) => hammer(port, running, () => {})],
  'makes thousands of connections and talks on each': [
    'II II',
    (port, _taken, { running }) =>
      hammer(port, running, peer =>
        peer.say(...Array.from({ length: 100 }, () => `NOOP ${'x'.repeat(400)}`)),
      ),
  ],
  'connects and idles': [
    'II II',
    async port => {
      await Peer.call(port).forever()
    },
  ],
  'sends a line without an end': ['NI NN', talks(peer => peer.flood(Buffer.alloc(16_000, 'x')))],
  'sends an EHLO of 1 MiB': [
    'NI NN',
    talks(async peer => {
      peer.say(`EHLO ${'x'.repeat(1 << 20)}`)
      await peer.forever()
    }),
  ],
  'sends control bytes': [
    'IN II',
    talks(async peer => {
      peer.write(Buffer.from('EHLO \x1b[2J\0\x07\u202e<script>\xff\r\nMAIL FROM:<\x1b]0;x\x07@\u202e>\r\n'))
      await peer.forever()
    }),
  ],
  'sends content without an end, in clear': [
    'NN NN',
    talks(async (peer, taken) => {
      await peer.command('EHLO gateway.test')
      peer.write(envelope(taken))
      await peer.flood('more and more\r\n')
    }),
  ],
  'sends content without an end, inside TLS': [
    'II IN',
    insideTls(async (peer, taken) => {
      peer.write(envelope(taken))
      await peer.flood('\r\n'.repeat(8_000))
    }),
  ],
  'sends content without an end on many connections': [
    'II IN',
    async (port, taken) => {
      const one = insideTls(async (peer, message) => {
        peer.write(envelope(message))
        await peer.flood('ab\r\n'.repeat(4_000))
      })
      await Promise.all(
        Array.from({ length: 40 }, () => one(port, taken, undefined as never).catch(() => {})),
      )
    },
  ],
  'delivers the message again and again': [
    'CI C?',
    async (port, taken, { running }) => {
      while (running()) await deliver(port, taken)
    },
  ],
  'delivers other messages again and again': [
    'II II',
    async (port, taken, { running }) => {
      while (running())
        await insideTls(async peer => {
          for (let n = 0; n < 40; n++) {
            peer.write(envelope(taken))
            peer.write(`${'x'.repeat(70)}\r\n`.repeat(20_000))
            peer.say('.')
            for (let replies = 0; replies < 5; replies++) await peer.reply()
          }
        })(port, taken, undefined as never).catch(error => {
          if (!(error instanceof Gone)) throw error
        })
    },
  ],
  'sends ClientHello fragments without an end': [
    'NI NN',
    startsTls(async peer => {
      peer.write(record(22, [1, 0xff, 0xff, 0xff]))
      await peer.flood(record(22, Buffer.alloc(16_000)))
    }),
  ],
  'floods with empty records': ['NI NN', startsTls(peer => peer.flood(record(22, [])))],
  'sends a byte of ClientHello a second': [
    'II II',
    startsTls(async peer => {
      for (const byte of record(22, [1, 0, 2, 0, 3, 3, ...Buffer.alloc(400)])) {
        peer.write(Buffer.from([byte]))
        await peer.wait(1_000)
      }
    }),
  ],
  'speaks another protocol': [
    'II II',
    async port => {
      const peer = Peer.call(port)
      peer.write('GET / HTTP/1.1\r\nHost: mx\r\n\r\n')
      await peer.forever()
    },
  ],
  'begins with TLS': [
    'II II',
    async port => {
      const peer = Peer.call(port)
      peer.write(record(22, [1, 0, 2, 0, 3, 3, ...Buffer.alloc(510)]))
      await peer.forever()
    },
  ],
  'claims other recipients': [
    'II IN',
    async (port, taken) => deliver(port, { ...taken, to: ['somebody@other.test', ...taken.to] }),
  ],
  'claims another recipient after MAIL in clear': [
    'II II',
    talks(async (peer, taken) => {
      await peer.command('EHLO gateway.test')
      await peer.command(`MAIL FROM:<${taken.from}>`)
      await peer.command('RCPT TO:<somebody@other.test>')
      await peer.command('STARTTLS')
      await peer.callTls()
      await peer.command('EHLO gateway.test')
      peer.write(`${envelope(taken)}${taken.content}.\r\nQUIT\r\n`)
      await peer.forever()
    }),
  ],
  'pipelines everything in clear': [
    'NN NC',
    talks(async (peer, taken) => {
      peer.write(`EHLO gateway.test\r\n${envelope(taken)}${taken.content}.\r\nQUIT\r\n`)
      await peer.forever()
    }),
  ],
  'hides MAIL in clear behind hundreds of NOOPs': [
    'NI NN',
    talks(async (peer, taken) => {
      await peer.command('EHLO gateway.test')
      for (let n = 0; n < 600; n++) await peer.command('NOOP')
      peer.write(`${envelope(taken)}${taken.content}.\r\nQUIT\r\n`)
      await peer.forever()
    }),
  ],
  'hides MAIL in clear behind hundreds of pipelined NOOPs': [
    'NN NN',
    talks(async (peer, taken) => {
      peer.write(
        `EHLO gateway.test\r\n${'NOOP\r\n'.repeat(600)}${envelope(taken)}${taken.content}.\r\nQUIT\r\n`,
      )
      await peer.forever()
    }),
  ],
  'hides MAIL in clear on the last of many connections': [
    '-- --',
    async (port, taken) => {
      for (let n = 0; n < 300; n++) {
        const peer = Peer.call(port)
        peer.say('QUIT')
        await peer.forever().catch(() => {})
      }
      const peer = Peer.call(port)
      await peer.reply()
      await peer.command('EHLO gateway.test')
      peer.write(`${envelope(taken)}${taken.content}.\r\n`)
      await peer.forever()
    },
  ],
  'delivers another message': [
    'NI NN',
    async (port, taken) =>
      deliver(port, { ...taken, content: 'Subject: something else\r\n\r\nNot what you sent.\r\n' }),
  ],
  'never delivers': ['II II', async () => {}],
  'resets every connection': [
    'NI NN',
    async port => {
      const peer = Peer.call(port)
      await peer.reply()
      peer.reset()
    },
  ],
}

export const SUBMISSION: Record<string, NonNullable<Misdeed['submission']>> = {
  'refuses what it is to send on': (peer, { tls }) =>
    receive(peer, {
      tls,
      answers: {
        MAIL: p => {
          p.write(Buffer.from('550 5.7.1 \x1b[2JNot you\x07\u202e\r\n'))
          return 'more'
        },
      },
    }),
  'hangs when it is to take a message': (peer, { tls }) =>
    receive(peer, { tls, answers: { DATA: p => p.forever() } }),
  'floods where it takes messages': peer => peer.flood('220-on and on\r\n'),
}
