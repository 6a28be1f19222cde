import type { Misbehaviour } from './bed.ts'
import { type Answer, receive } from './gateway.ts'
import type { ScriptedConnection } from './scripted-connection.ts'
import { handshake, record, tls13, vector } from './tls13.ts'

const ODD = Buffer.concat([
  Buffer.from('ring\x07 wipe\x1b[2J\x1b]0;title\x07 nul\0 over\u202eturn \u2066iso\u200b\ufeff', 'utf8'),
  Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x9b, 0x85]),
  Buffer.from('<script>alert(1)</script>]]>&amp;|`'),
])
const RANDOM = Buffer.alloc(32, 0x5a)

type Inbound = NonNullable<Misbehaviour['inbound']>

/** The gateways that have crashed. */
const crashed = new WeakSet<object>()
/** The number of sessions that a gateway has had. A connection without EHLO is not a session. */
const sessions = new WeakMap<object, number>()

/** Behaves well for `count` sessions beside that of the suite's first mail, and then closes every connection at once. */
function forSessions(count: number): Inbound {
  return async (connection, context) => {
    const before = sessions.get(context) ?? 0
    if (before > count) return connection.end()
    let greeted = false
    const EHLO: Answer = () => {
      if (!greeted) sessions.set(context, before + 1)
      greeted = true
      return undefined
    }
    await receive(connection, { tls: context.tls, answers: { EHLO } })
  }
}

/** Behaves well except for some answers. */
const answers =
  (which: Record<string, Answer>): Inbound =>
  (connection, { tls }) =>
    receive(connection, { tls, answers: which })

/** Behaves well up to the go-ahead to STARTTLS, and then acts. */
const afterGoAhead =
  (act: (connection: ScriptedConnection, tls: Parameters<Inbound>[1]['tls']) => Promise<unknown>): Inbound =>
  (connection, { tls }) =>
    receive(connection, {
      tls,
      async handshake(secured) {
        await act(secured, tls)
      },
    })

/** Behaves well up to the ClientHello, and then acts. */
const afterHello = (act: (connection: ScriptedConnection) => Promise<unknown>): Inbound =>
  afterGoAhead(async connection => {
    await connection.record()
    await act(connection)
  })

const serverHello = handshake(
  2,
  Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0xc0, 0x2f, 0])]),
)
const der = (text: string) =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)/g)].map(([, body]) => Buffer.from(body!, 'base64'))

/** No greeting comes in time, so nothing is judged. */
export const SILENT: Record<string, Inbound> = {
  'never answers': connection => connection.forever(),
  'sends one byte each second': async connection => {
    for (const byte of '220 mx.gateway.test ESMTP\r\n') {
      connection.write(byte)
      await connection.wait(1_000)
    }
  },
  'is a web server': async connection => {
    await connection.line()
    connection.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    connection.end()
  },
  'speaks TLS from the start': async (connection, { tls }) => {
    await connection.serveTls(tls)
    await connection.forever()
  },
}

/** The gateway resets connections. */
export const RESETS: Record<string, Inbound> = {
  'resets at once': async connection => connection.reset(),
}

/** There is no session in which the gateway could accept a message. */
export const NO_SESSION: Record<string, Inbound> = {
  'sends a greeting of lines that never ends': connection => connection.flood('220-still greeting\r\n'),
  'sends a greeting whose line never ends': connection => connection.flood(Buffer.alloc(16_384, 'x')),
  'greets with a line of 1 MiB': async connection => {
    connection.say(`220 ${'x'.repeat(1 << 20)}`)
    await connection.forever()
  },
  'sends an EHLO reply that never ends': answers({
    EHLO: connection => connection.flood('250-X-MORE\r\n').then(() => 'ended'),
  }),
  'answers EHLO with a line of 1 MiB': answers({
    EHLO: connection => {
      connection.say(`250 ${'x'.repeat(1 << 20)}`)
      return 'answered'
    },
  }),
  'sends control bytes instead of replies': async connection => {
    connection.write(Buffer.concat([ODD, Buffer.from('\r\n')]))
    await connection.forever()
  },
  'closes at once': async connection => connection.end(),
  'closes its side of the connection and still reads': async connection => {
    connection.socket.end('220 mx.gateway.test ESMTP\r\n')
    await connection.forever()
  },
  'replies with codes that do not exist': answers({
    '*': connection => {
      connection.say('999 what', '000 ever')
      return 'answered'
    },
  }),
  'sends hundreds of replies before the first command': async connection => {
    connection.say('220 mx.gateway.test ESMTP', ...Array.from({ length: 300 }, () => '250 2.0.0 Fine'))
    await connection.forever()
  },
  'sends all replies before the first command': async connection => {
    connection.say(
      '220 mx.gateway.test',
      '250 mx.gateway.test',
      '250 MAIL',
      '250 RCPT',
      '354 DATA',
      '250 Taken',
    )
    await connection.forever()
  },
  'is a web server that does not wait': async connection => {
    connection.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    connection.end()
  },
  'is an SSH server': async connection => {
    connection.say('SSH-2.0-OpenSSH_10.0')
    await connection.forever()
  },
  'refuses every connection': async connection => {
    connection.say('554 5.7.1 No')
    await connection.forever()
  },
  'says 250 to everything': async connection => {
    connection.say('250 hello')
    for (;;) {
      await connection.line()
      connection.say('250 2.0.0 Fine')
    }
  },
  'refuses everything': answers({
    '*': connection => {
      connection.say('554 5.7.1 No')
      return 'answered'
    },
  }),
}

/** The gateway offers TLS, but every handshake fails. It accepts unencrypted mail. */
export const NO_TLS: Record<string, Inbound> = {
  'answers the ClientHello with garbage': afterHello(connection => connection.flood('no TLS at all\r\n')),
  'answers the ClientHello with an SMTP reply': afterHello(async connection => {
    connection.say('454 4.7.0 Not today')
    connection.end()
  }),
  'sends records that are longer than their length field': afterHello(connection =>
    connection.flood(Buffer.concat([record(22, serverHello), Buffer.alloc(100, 22)])),
  ),
  'sends records that are longer than TLS allows': afterHello(connection =>
    connection.flood(Buffer.concat([Buffer.from([22, 3, 3, 0xff, 0xff]), Buffer.alloc(0xffff)])),
  ),
  'sends empty records without end': afterHello(connection => connection.flood(record(22, []))),
  'sends alerts without end': afterHello(connection => connection.flood(record(21, [1, 90]))),
  'sends ServerHellos without end': afterHello(connection => connection.flood(record(22, serverHello))),
  'sends a handshake message of 16 MiB in small pieces': afterHello(async connection => {
    connection.write(record(22, [11, 0xff, 0xff, 0xff]))
    await connection.flood(record(22, [0]))
  }),
  'sends handshake fragments that never end': afterHello(async connection => {
    connection.write(record(22, serverHello))
    connection.write(record(22, [11, 0xff, 0xff, 0xff]))
    await connection.flood(record(22, Buffer.alloc(16_000)))
  }),
  'sends a certificate message of 1 MiB': afterGoAhead(async (connection, { key }) => {
    await tls13(connection, { key, chain: [Buffer.alloc(1 << 20, 0x30)] })
    await connection.forever()
  }),
  'sends an encrypted handshake message again and again': afterGoAhead((connection, { key, cert }) =>
    tls13(connection, {
      key,
      chain: der(cert),
      before: seal => connection.flood(() => seal.seal(22, handshake(8, vector(2, Buffer.alloc(0))))),
    }),
  ),
  'sends an encrypted handshake message that never ends': afterGoAhead((connection, { key, cert }) =>
    tls13(connection, {
      key,
      chain: der(cert),
      async before(seal) {
        connection.write(seal.seal(22, Buffer.from([11, 0xff, 0xff, 0xff])))
        await connection.flood(() => seal.seal(22, Buffer.alloc(16_000)))
      },
    }),
  ),
  'sends encrypted records without content': afterGoAhead(async (connection, { key, cert }) => {
    const seal = await tls13(connection, { key, chain: der(cert) })
    await connection.flood(() => seal.seal(23, Buffer.alloc(0)))
  }),
  'sends a reply inside TLS that never ends': afterGoAhead(async (connection, { key, cert }) => {
    const seal = await tls13(connection, { key, chain: der(cert) })
    await connection.flood(() => seal.seal(23, Buffer.from('250-on and on\r\n'.repeat(500))))
  }),
  'sends a line inside TLS that never ends': afterGoAhead(async (connection, { key, cert }) => {
    const seal = await tls13(connection, { key, chain: der(cert) })
    await connection.flood(() => seal.seal(23, Buffer.alloc(16_000, 'x')))
  }),
}

/** Like NO_TLS, but the handshake or the next reply inside TLS never comes, and the suite stops waiting. */
export const TLS_SILENT: Record<string, Inbound> = {
  'announces a record and stops': afterHello(async connection => {
    connection.write(Buffer.from([22, 3, 3, 0x40, 0, 2]))
    await connection.forever()
  }),
  'updates its keys again and again': afterGoAhead(async (connection, { key, cert }) => {
    const seal = await tls13(connection, { key, chain: der(cert) })
    await connection.flood(() => seal.update())
  }),
  'sends session tickets without end': afterGoAhead(async (connection, { key, cert }) => {
    const seal = await tls13(connection, { key, chain: der(cert) })
    const ticket = handshake(
      4,
      Buffer.concat([
        Buffer.from([0, 0, 14, 16, 1, 2, 3, 4]),
        vector(1, Buffer.alloc(8)),
        vector(2, Buffer.alloc(1000, 7)),
        vector(2, Buffer.alloc(0)),
      ]),
    )
    await connection.flood(() => seal.seal(22, ticket))
  }),
  'asks for renegotiation again and again': afterGoAhead(async (connection, tls) => {
    const socket = await connection.serveTls({ ...tls, maxVersion: 'TLSv1.2' })
    // Each request adds a listener.
    socket.setMaxListeners(0)
    for (;;) {
      socket.renegotiate({}, () => {})
      await connection.wait(1)
    }
  }),
}

/** Sessions work, but the gateway accepts no message. */
export const NO_MAIL: Record<string, Inbound> = {
  'puts control bytes into every reply': async (connection, { tls }) => {
    const odd: Answer = p => {
      p.write(
        Buffer.concat([Buffer.from('550-5.0.0 '), ODD, Buffer.from('\r\n550 '), ODD, Buffer.from('\r\n')]),
      )
      return 'answered'
    }
    await receive(connection, {
      tls,
      greeting: `220 ${ODD.toString('latin1')}`,
      answers: { MAIL: odd, RSET: odd, NOOP: odd },
    })
  },
  'closes after DATA': answers({
    DATA: connection => {
      connection.end()
      return 'ended'
    },
  }),
  'closes after the dot': answers({
    dot: connection => {
      connection.end()
      return 'ended'
    },
  }),
  'accepts the message before the client has sent it': answers({
    DATA: connection => {
      connection.say('354 Go on', '250 2.0.0 Taken')
      return 'answered'
    },
  }),
}

/** The verdict depends on whether the first 250 arrives before or after the dot. */
export const DEPENDS_ON_TIMING: Record<string, Inbound> = {
  'says 250 without end after DATA': answers({
    DATA: connection => {
      connection.say('354 Go on')
      return connection.flood('250 2.0.0 Taken\r\n').then(() => 'ended' as const)
    },
  }),
}

/** Unusual, but no requirement forbids it. */
export const ALLOWED: Record<string, Inbound> = {
  'shows a hundred certificates': (connection, { tls }) =>
    receive(connection, {
      tls: { ...tls, cert: tls.cert + der(tls.cert).slice(1, 2).map(pem).join('').repeat(98) },
    }),
  'shows a certificate with thousands of names': (connection, { tls }) =>
    receive(connection, { tls: { ...tls, ...made('many') } }),
  'shows a certificate with control bytes in its names': (connection, { tls }) =>
    receive(connection, { tls: { ...tls, ...made('odd') } }),
}

/** The gateway offers STARTTLS and then refuses it. */
export const REFUSES_STARTTLS: Record<string, Inbound> = {
  'refuses STARTTLS': answers({
    STARTTLS: connection => {
      connection.say('554 5.7.0 No TLS')
      return 'answered'
    },
  }),
  'refuses STARTTLS for now': answers({
    STARTTLS: connection => {
      connection.say('454 4.7.0 No TLS')
      return 'answered'
    },
  }),
}

/** The gateway behaves well inside TLS only. */
export const WRONG_WITHOUT_TLS: Record<string, Inbound> = {
  'says 250 to every unencrypted command': answers({
    '*': connection => {
      if (connection.secured) return undefined
      connection.say('250 2.0.0 Fine')
      return 'answered'
    },
    EHLO: () => undefined,
    STARTTLS: () => undefined,
    QUIT: () => undefined,
  }),
}

/** Each answer comes in time, but the whole session takes far too long. */
export const SLOW: Record<string, Inbound> = {
  'answers each command just in time': (connection, { tls, patience }) =>
    receive(connection, {
      tls,
      answers: {
        async '*'(scripted) {
          await scripted.wait(0.8 * patience)
          return undefined
        },
      },
    }),
}

/** The gateway ends after some sessions. */
export const ENDS: Record<string, Inbound> = {
  'ends after one session': forSessions(1),
  'ends after three sessions': forSessions(3),
  'crashes because of an injected command': async (connection, context) => {
    if (crashed.has(context)) return connection.end()
    const STARTTLS: Answer = p => {
      if (p.pending === 0) return undefined
      crashed.add(context)
      p.reset()
      return 'ended'
    }
    await receive(connection, { tls: context.tls, answers: { STARTTLS } })
  },
}

const pem = (bytes: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`

const identities = new Map<string, { key: string; cert: string }>()
export const provide = (name: string, identity: { key: string; certificate: string }): void => {
  identities.set(name, { key: identity.key, cert: identity.certificate })
}
function made(name: string): { key: string; cert: string } {
  const found = identities.get(name)
  if (!found) throw new Error(`the test has not made the certificate ${name}`)
  return found
}
