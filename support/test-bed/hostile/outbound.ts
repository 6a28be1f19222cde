import type { Misbehaviour } from './bed.ts'
import { type AcceptedMessage, deliver, receive } from './gateway.ts'
import { ConnectionEnded, ScriptedConnection } from './scripted-connection.ts'
import { record } from './tls13.ts'

type Delivery = NonNullable<Misbehaviour['delivery']>

/** Acts on one connection after the greeting. */
const talks =
  (act: (connection: ScriptedConnection, message: AcceptedMessage) => Promise<unknown>): Delivery =>
  async (port, message) => {
    const connection = ScriptedConnection.call(port)
    await connection.reply()
    await act(connection, message)
  }

/** Acts on one connection after the reply to STARTTLS. */
const startsTls = (
  act: (connection: ScriptedConnection, message: AcceptedMessage) => Promise<unknown>,
): Delivery =>
  talks(async (connection, message) => {
    await connection.command('EHLO gateway.test')
    await connection.command('STARTTLS')
    await act(connection, message)
  })

const insideTls = (
  act: (connection: ScriptedConnection, message: AcceptedMessage) => Promise<unknown>,
): Delivery =>
  startsTls(async (connection, message) => {
    await connection.callTls()
    await connection.command('EHLO gateway.test')
    await act(connection, message)
  })

const envelope = ({ from, to }: AcceptedMessage): string =>
  [`MAIL FROM:<${from}>`, ...to.map(recipient => `RCPT TO:<${recipient}>`), 'DATA', ''].join('\r\n')

async function connectOften(
  port: number,
  running: () => boolean,
  act: (connection: ScriptedConnection) => void,
): Promise<void> {
  while (running()) {
    for (let n = 0; n < 50; n++) {
      const connection = ScriptedConnection.call(port)
      act(connection)
      connection.socket.setTimeout(5_000, () => connection.socket.destroy())
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export const DELIVERY: Record<string, readonly [expected: string, does: Delivery]> = {
  'makes thousands of connections': [
    'I[IW] II',
    (port, _message, { running }) => connectOften(port, running, () => {}),
  ],
  'makes thousands of connections and talks on each': [
    'II II',
    (port, _message, { running }) =>
      connectOften(port, running, connection =>
        connection.say(...Array.from({ length: 100 }, () => `NOOP ${'x'.repeat(400)}`)),
      ),
  ],
  'connects and does nothing': [
    'WW WW',
    async port => {
      await ScriptedConnection.call(port).forever()
    },
  ],
  'sends a line that never ends': ['WW WW', talks(connection => connection.flood(Buffer.alloc(16_000, 'x')))],
  'sends an EHLO of 1 MiB': [
    'WW WW',
    talks(async connection => {
      connection.say(`EHLO ${'x'.repeat(1 << 20)}`)
      await connection.forever()
    }),
  ],
  'sends control bytes': [
    'WN WW',
    talks(async connection => {
      connection.write(
        Buffer.from('EHLO \x1b[2J\0\x07\u202e<script>\xff\r\nMAIL FROM:<\x1b]0;x\x07@\u202e>\r\n'),
      )
      await connection.forever()
    }),
  ],
  'sends content that never ends, unencrypted': [
    'NN NN',
    talks(async (connection, message) => {
      await connection.command('EHLO gateway.test')
      connection.write(envelope(message))
      await connection.flood('more and more\r\n')
    }),
  ],
  'sends content that never ends, inside TLS': [
    'II IN',
    insideTls(async (connection, message) => {
      connection.write(envelope(message))
      await connection.flood('\r\n'.repeat(8_000))
    }),
  ],
  'sends content that never ends, on many connections': [
    'II IN',
    async (port, message) => {
      const one = insideTls(async (connection, message) => {
        connection.write(envelope(message))
        await connection.flood('ab\r\n'.repeat(4_000))
      })
      await Promise.all(
        Array.from({ length: 40 }, () => one(port, message, undefined as never).catch(() => {})),
      )
    },
  ],
  'delivers the message again and again': [
    'C[CI] C[CIN]',
    async (port, message, { running }) => {
      while (running()) await deliver(port, message)
    },
  ],
  // Between the others, the connections of an example end without its message.
  'delivers other messages again and again': [
    '[IW][IW] [IW][INW]',
    async (port, message, { running }) => {
      while (running())
        await insideTls(async connection => {
          for (let n = 0; n < 40; n++) {
            connection.write(envelope(message))
            connection.write(`${'x'.repeat(70)}\r\n`.repeat(20_000))
            connection.say('.')
            for (let replies = 0; replies < 5; replies++) await connection.reply()
          }
        })(port, message, undefined as never).catch(error => {
          if (!(error instanceof ConnectionEnded)) throw error
        })
    },
  ],
  'sends ClientHello fragments that never end': [
    'WW WW',
    startsTls(async connection => {
      connection.write(record(22, [1, 0xff, 0xff, 0xff]))
      await connection.flood(record(22, Buffer.alloc(16_000)))
    }),
  ],
  'sends empty records without end': ['WW WW', startsTls(connection => connection.flood(record(22, [])))],
  'sends one byte of the ClientHello each second': [
    'WW WW',
    startsTls(async connection => {
      for (const byte of record(22, [1, 0, 2, 0, 3, 3, ...Buffer.alloc(400)])) {
        connection.write(Buffer.from([byte]))
        await connection.wait(1_000)
      }
    }),
  ],
  'speaks another protocol': [
    'WW WW',
    async port => {
      const connection = ScriptedConnection.call(port)
      connection.write('GET / HTTP/1.1\r\nHost: mx\r\n\r\n')
      await connection.forever()
    },
  ],
  'begins with TLS': [
    'WW WW',
    async port => {
      const connection = ScriptedConnection.call(port)
      connection.write(record(22, [1, 0, 2, 0, 3, 3, ...Buffer.alloc(510)]))
      await connection.forever()
    },
  ],
  'names another recipient too': [
    'IW I[WN]',
    async (port, message) => deliver(port, { ...message, to: ['somebody@other.test', ...message.to] }),
  ],
  'names another recipient after an unencrypted MAIL': [
    'IW IW',
    talks(async (connection, message) => {
      await connection.command('EHLO gateway.test')
      await connection.command(`MAIL FROM:<${message.from}>`)
      await connection.command('RCPT TO:<somebody@other.test>')
      await connection.command('STARTTLS')
      await connection.callTls()
      await connection.command('EHLO gateway.test')
      connection.write(`${envelope(message)}${message.content}.\r\nQUIT\r\n`)
      await connection.forever()
    }),
  ],
  'pipelines everything unencrypted': [
    'NN IC',
    talks(async (connection, message) => {
      connection.write(`EHLO gateway.test\r\n${envelope(message)}${message.content}.\r\nQUIT\r\n`)
      await connection.forever()
    }),
  ],
  'sends an unencrypted MAIL after hundreds of NOOPs': [
    'WI WW',
    talks(async (connection, message) => {
      await connection.command('EHLO gateway.test')
      for (let n = 0; n < 600; n++) await connection.command('NOOP')
      connection.write(`${envelope(message)}${message.content}.\r\nQUIT\r\n`)
      await connection.forever()
    }),
  ],
  'sends an unencrypted MAIL after hundreds of pipelined NOOPs': [
    'NN NN',
    talks(async (connection, message) => {
      connection.write(
        `EHLO gateway.test\r\n${'NOOP\r\n'.repeat(600)}${envelope(message)}${message.content}.\r\nQUIT\r\n`,
      )
      await connection.forever()
    }),
  ],
  'sends an unencrypted MAIL on the last of many connections': [
    // On a busy machine the gateway may pause for longer than the `settle` of its file.
    '[NIW]{2} [NIW]{2}',
    async (port, message) => {
      for (let n = 0; n < 300; n++) {
        const connection = ScriptedConnection.call(port)
        connection.say('QUIT')
        await connection.forever().catch(() => {})
      }
      const connection = ScriptedConnection.call(port)
      await connection.reply()
      await connection.command('EHLO gateway.test')
      connection.write(`${envelope(message)}${message.content}.\r\n`)
      await connection.forever()
    },
  ],
  'delivers another message': [
    'WW WW',
    async (port, message) =>
      deliver(port, { ...message, content: 'Subject: something else\r\n\r\nNot what you sent.\r\n' }),
  ],
  'never delivers': ['S', async () => {}],
  'resets every connection': [
    'WW WW',
    async port => {
      const connection = ScriptedConnection.call(port)
      await connection.reply()
      connection.reset()
    },
  ],
}

export const SUBMISSION: Record<
  string,
  readonly [expected: string, does: NonNullable<Misbehaviour['submission']>]
> = {
  'refuses the submitted message': [
    'S',
    (connection, { tls }) =>
      receive(connection, {
        tls,
        answers: {
          MAIL: p => {
            p.write(Buffer.from('550 5.7.1 \x1b[2JNot you\x07\u202e\r\n'))
            return 'answered'
          },
        },
      }),
  ],
  'hangs at DATA of a submission': [
    'S',
    (connection, { tls }) => receive(connection, { tls, answers: { DATA: p => p.forever() } }),
  ],
  'greets a submission without end': ['S', connection => connection.flood('220-on and on\r\n')],
}
