import { type Misdeed, PATIENCE } from './bed.ts'
import { type Answer, receive } from './gateway.ts'
import type { Peer } from './peer.ts'
import { handshake, record, tls13, vector } from './tls13.ts'

const ODD = Buffer.concat([
  Buffer.from('ring\x07 wipe\x1b[2J\x1b]0;title\x07 nul\0 over\u202eturn \u2066iso\u200b\ufeff', 'utf8'),
  Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x9b, 0x85]),
  Buffer.from('<script>alert(1)</script>]]>&amp;|`'),
])
const RANDOM = Buffer.alloc(32, 0x5a)

type Inbound = NonNullable<Misdeed['inbound']>

/** Gateways that are no more. */
const dead = new WeakSet<object>()
/** How many sessions a gateway has had; a connection on which nobody greets is none. */
const had = new WeakMap<object, number>()

/** Well-behaved for so many sessions, and closing at once ever after. */
function forSessions(count: number): Inbound {
  return async (peer, surroundings) => {
    const before = had.get(surroundings) ?? 0
    if (before >= count) return peer.end()
    let greeted = false
    const EHLO: Answer = () => {
      if (!greeted) had.set(surroundings, before + 1)
      greeted = true
      return undefined
    }
    await receive(peer, { tls: surroundings.tls, answers: { EHLO } })
  }
}

/** Well-behaved but for some answers. */
const answers =
  (which: Record<string, Answer>): Inbound =>
  (peer, { tls }) =>
    receive(peer, { tls, answers: which })

/** Well-behaved up to the go-ahead to STARTTLS. */
const afterGoAhead =
  (act: (peer: Peer, tls: Parameters<Inbound>[1]['tls']) => Promise<unknown>): Inbound =>
  (peer, { tls }) =>
    receive(peer, {
      tls,
      async handshake(behind) {
        await act(behind, tls)
      },
    })

/** As `afterGoAhead`, once the ClientHello is there. */
const afterHello = (act: (peer: Peer) => Promise<unknown>): Inbound =>
  afterGoAhead(async peer => {
    await peer.record()
    await act(peer)
  })

const serverHello = handshake(
  2,
  Buffer.concat([Buffer.from([3, 3]), RANDOM, Buffer.from([0, 0xc0, 0x2f, 0])]),
)
const der = (text: string) =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)/g)].map(([, body]) => Buffer.from(body!, 'base64'))

/** Nothing comes in time, so nothing can be said. */
export const SILENT: Record<string, Inbound> = {
  'never answers': peer => peer.forever(),
  'says one byte a second': async peer => {
    for (const byte of '220 mx.gateway.test ESMTP\r\n') {
      peer.write(byte)
      await peer.wait(1_000)
    }
  },
  'is a web server': async peer => {
    await peer.line()
    peer.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    peer.end()
  },
  'speaks TLS from the start': async (peer, { tls }) => {
    await peer.serveTls(tls)
    await peer.forever()
  },
}

/** Not even a connection can be relied on. */
export const GONE: Record<string, Inbound> = {
  'resets at once': async peer => peer.reset(),
}

/** There is no session in which a message could be taken. */
export const NO_SESSION: Record<string, Inbound> = {
  'greets without an end': peer => peer.flood('220-still greeting\r\n'),
  'greets without a line end': peer => peer.flood(Buffer.alloc(16_384, 'x')),
  'greets with a line of 1 MiB': async peer => {
    peer.say(`220 ${'x'.repeat(1 << 20)}`)
    await peer.forever()
  },
  'answers EHLO without an end': answers({ EHLO: peer => peer.flood('250-X-MORE\r\n').then(() => 'over') }),
  'answers EHLO with a line of 1 MiB': answers({
    EHLO: peer => {
      peer.say(`250 ${'x'.repeat(1 << 20)}`)
      return 'more'
    },
  }),
  'says control bytes instead of replies': async peer => {
    peer.write(Buffer.concat([ODD, Buffer.from('\r\n')]))
    await peer.forever()
  },
  'closes at once': async peer => peer.end(),
  'closes its half and goes on listening': async peer => {
    peer.socket.end('220 mx.gateway.test ESMTP\r\n')
    await peer.forever()
  },
  'replies with codes out of range': answers({
    '*': peer => {
      peer.say('999 what', '000 ever')
      return 'more'
    },
  }),
  'replies hundreds of times before it is asked': async peer => {
    peer.say('220 mx.gateway.test ESMTP', ...Array.from({ length: 300 }, () => '250 2.0.0 Fine'))
    await peer.forever()
  },
  'replies to all in advance': async peer => {
    peer.say('220 mx.gateway.test', '250 mx.gateway.test', '250 MAIL', '250 RCPT', '354 DATA', '250 Taken')
    await peer.forever()
  },
  'is a web server that does not wait': async peer => {
    peer.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    peer.end()
  },
  'is an SSH server': async peer => {
    peer.say('SSH-2.0-OpenSSH_10.0')
    await peer.forever()
  },
  'refuses every connection': async peer => {
    peer.say('554 5.7.1 No')
    await peer.forever()
  },
  'says 250 to everything': async peer => {
    peer.say('250 hello')
    for (;;) {
      await peer.line()
      peer.say('250 2.0.0 Fine')
    }
  },
  'refuses everything': answers({
    '*': peer => {
      peer.say('554 5.7.1 No')
      return 'more'
    },
  }),
}

/** TLS is offered and cannot be had; mail in clear is taken. */
export const NO_TLS: Record<string, Inbound> = {
  'answers the ClientHello with garbage': afterHello(peer => peer.flood('no TLS at all\r\n')),
  'answers the ClientHello in clear': afterHello(async peer => {
    peer.say('454 4.7.0 Not today')
    peer.end()
  }),
  'sends records longer than they say': afterHello(peer =>
    peer.flood(Buffer.concat([record(22, serverHello), Buffer.alloc(100, 22)])),
  ),
  'sends records longer than there may be': afterHello(peer =>
    peer.flood(Buffer.concat([Buffer.from([22, 3, 3, 0xff, 0xff]), Buffer.alloc(0xffff)])),
  ),
  'floods with records of no length': afterHello(peer => peer.flood(record(22, []))),
  'floods with alerts': afterHello(peer => peer.flood(record(21, [1, 90]))),
  'floods with ServerHellos': afterHello(peer => peer.flood(record(22, serverHello))),
  'sends a handshake message of 16 MiB in small pieces': afterHello(async peer => {
    peer.write(record(22, [11, 0xff, 0xff, 0xff]))
    await peer.flood(record(22, [0]))
  }),
  'sends handshake fragments without an end': afterHello(async peer => {
    peer.write(record(22, serverHello))
    peer.write(record(22, [11, 0xff, 0xff, 0xff]))
    await peer.flood(record(22, Buffer.alloc(16_000)))
  }),
  'sends a certificate message of 1 MiB': afterGoAhead(async (peer, { key }) => {
    await tls13(peer, { key, chain: [Buffer.alloc(1 << 20, 0x30)] })
    await peer.forever()
  }),
  'repeats an encrypted handshake message': afterGoAhead((peer, { key, cert }) =>
    tls13(peer, {
      key,
      chain: der(cert),
      before: seal => peer.flood(() => seal.seal(22, handshake(8, vector(2, Buffer.alloc(0))))),
    }),
  ),
  'sends an encrypted handshake message without an end': afterGoAhead((peer, { key, cert }) =>
    tls13(peer, {
      key,
      chain: der(cert),
      async before(seal) {
        peer.write(seal.seal(22, Buffer.from([11, 0xff, 0xff, 0xff])))
        await peer.flood(() => seal.seal(22, Buffer.alloc(16_000)))
      },
    }),
  ),
  'sends encrypted records without content': afterGoAhead(async (peer, { key, cert }) => {
    const seal = await tls13(peer, { key, chain: der(cert) })
    await peer.flood(() => seal.seal(23, Buffer.alloc(0)))
  }),
  'replies inside TLS without an end': afterGoAhead(async (peer, { key, cert }) => {
    const seal = await tls13(peer, { key, chain: der(cert) })
    await peer.flood(() => seal.seal(23, Buffer.from('250-on and on\r\n'.repeat(500))))
  }),
  'says a line without an end inside TLS': afterGoAhead(async (peer, { key, cert }) => {
    const seal = await tls13(peer, { key, chain: der(cert) })
    await peer.flood(() => seal.seal(23, Buffer.alloc(16_000, 'x')))
  }),
}

/** As before, and the wait for TLS or for a word inside TLS ends it. */
export const TLS_SILENT: Record<string, Inbound> = {
  'announces a record and stops': afterHello(async peer => {
    peer.write(Buffer.from([22, 3, 3, 0x40, 0, 2]))
    await peer.forever()
  }),
  'updates its keys without an end': afterGoAhead(async (peer, { key, cert }) => {
    const seal = await tls13(peer, { key, chain: der(cert) })
    await peer.flood(() => seal.update())
  }),
  'hands out session tickets without an end': afterGoAhead(async (peer, { key, cert }) => {
    const seal = await tls13(peer, { key, chain: der(cert) })
    const ticket = handshake(
      4,
      Buffer.concat([
        Buffer.from([0, 0, 14, 16, 1, 2, 3, 4]),
        vector(1, Buffer.alloc(8)),
        vector(2, Buffer.alloc(1000, 7)),
        vector(2, Buffer.alloc(0)),
      ]),
    )
    await peer.flood(() => seal.seal(22, ticket))
  }),
  'asks for renegotiation without an end': afterGoAhead(async (peer, tls) => {
    const socket = await peer.serveTls({ ...tls, maxVersion: 'TLSv1.2' })
    for (;;) {
      socket.renegotiate({}, () => {})
      await peer.wait(1)
    }
  }),
}

/** Sessions are in order, and no message is taken. */
export const NO_MAIL: Record<string, Inbound> = {
  'puts control bytes into every reply': async (peer, { tls }) => {
    const odd: Answer = p => {
      p.write(
        Buffer.concat([Buffer.from('550-5.0.0 '), ODD, Buffer.from('\r\n550 '), ODD, Buffer.from('\r\n')]),
      )
      return 'more'
    }
    await receive(peer, {
      tls,
      greeting: `220 ${ODD.toString('latin1')}`,
      answers: { MAIL: odd, RSET: odd, NOOP: odd },
    })
  },
  'closes after DATA': answers({
    DATA: peer => {
      peer.end()
      return 'over'
    },
  }),
  'closes after the dot': answers({
    dot: peer => {
      peer.end()
      return 'over'
    },
  }),
  'takes the message before it was sent': answers({
    DATA: peer => {
      peer.say('354 Go on', '250 2.0.0 Taken')
      return 'more'
    },
  }),
}

/** Whether its first 250 is there before the dot or after it is a matter of luck. */
export const LUCKY: Record<string, Inbound> = {
  'says 250 without an end after DATA': answers({
    DATA: peer => {
      peer.say('354 Go on')
      return peer.flood('250 2.0.0 Taken\r\n').then(() => 'over' as const)
    },
  }),
}

/** Odd, and nothing that a requirement forbids. */
export const FINE: Record<string, Inbound> = {
  'shows a hundred certificates': (peer, { tls }) =>
    receive(peer, {
      tls: { ...tls, cert: tls.cert + der(tls.cert).slice(1, 2).map(pem).join('').repeat(98) },
    }),
  'shows a certificate with thousands of names': (peer, { tls }) =>
    receive(peer, { tls: { ...tls, ...made('many') } }),
  'shows a certificate with control bytes in its names': (peer, { tls }) =>
    receive(peer, { tls: { ...tls, ...made('odd') } }),
}

/** Refuses or contradicts itself, each in its own way. */
export const REFUSES: Record<string, Inbound> = {
  'refuses STARTTLS': answers({
    STARTTLS: peer => {
      peer.say('554 5.7.0 No TLS')
      return 'more'
    },
  }),
  'refuses STARTTLS for now': answers({
    STARTTLS: peer => {
      peer.say('454 4.7.0 No TLS')
      return 'more'
    },
  }),
}

/** Takes mail inside TLS alone. */
export const CLEAR_ODD: Record<string, Inbound> = {
  'says 250 to everything in clear': answers({
    '*': peer => {
      if (peer.secured) return undefined
      peer.say('250 2.0.0 Fine')
      return 'more'
    },
    EHLO: () => undefined,
    STARTTLS: () => undefined,
    QUIT: () => undefined,
  }),
}

/** Never too late, and far too slow in all. */
export const SLOW: Record<string, Inbound> = {
  'answers each command just in time': answers({
    '*': async peer => {
      await peer.wait(0.8 * PATIENCE)
      return undefined
    },
  }),
}

/** Served one connection after another. */
export const MORTAL: Record<string, Inbound> = {
  'is there only once': forSessions(1),
  'is there only three times': forSessions(3),
  'dies of what is smuggled in': async (peer, surroundings) => {
    if (dead.has(surroundings)) return peer.end()
    const STARTTLS: Answer = p => {
      if (p.pending === 0) return undefined
      dead.add(surroundings)
      p.reset()
      return 'over'
    }
    await receive(peer, { tls: surroundings.tls, answers: { STARTTLS } })
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
  if (!found) throw new Error(`nobody made the certificate ${name}`)
  return found
}
