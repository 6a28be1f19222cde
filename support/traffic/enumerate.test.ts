import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { createSecureContext, createServer, type TlsOptions } from 'node:tls'
import { type TlsOffer, versionIn } from '../evidence/offer.ts'
import { Pki } from '../pki/pki.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { type ListenerOptions, SmtpListener } from '../test-bed/fixtures/smtp-listener.ts'
import { Link } from '../wire/link.ts'
import { EarlyTicket } from '../wire/tls/early-ticket.ts'
import { TlsCarrier } from '../wire/tls/tls-carrier.ts'
import type { Target } from './ask.ts'
import { enumerate } from './enumerate.ts'

const HELO = 'probe.test'
const NAME = 'mx.d1.test'

describe('what a server accepts', () => {
  const pki = new Pki()
  let identity: { key: string; cert: string }
  let curve: typeof identity
  let root: string
  const running: { close: () => Promise<void> }[] = []
  before(async () => {
    const issue = async (key: 'RSA 2048' | 'ECDSA P-256') => {
      const made = await pki.issue({ names: [NAME], usage: 'server', kind: { key } })
      return { key: made.key, cert: made.certificate }
    }
    identity = await issue('RSA 2048')
    curve = await issue('ECDSA P-256')
    root = await pki.root()
  })
  afterEach(() => Promise.all(running.splice(0).map(one => one.close())))

  const scan = async (target: Target): Promise<TlsOffer> =>
    (await enumerate(target, { serverName: NAME, trust: [root], tickets: true })).offer
  async function smtp(tls: TlsOptions, options: ListenerOptions = {}): Promise<TlsOffer> {
    const listener = await SmtpListener.start({ tls: { ...identity, ...tls }, ...options })
    running.push(listener)
    return scan({ ...listener.endpoint, service: 'smtp', helo: HELO })
  }
  async function behind(
    script: (socket: Socket) => void,
    service: Target['service'] = 'tls',
  ): Promise<TlsOffer> {
    const loopback = await Loopback.start(script)
    running.push(loopback)
    return scan({ ...loopback.endpoint, service, helo: HELO })
  }
  const known = (offer: TlsOffer) => offer.versions.map(({ version, known }) => `${version} ${known}`)
  const suites = (offer: TlsOffer, version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2') =>
    versionIn(offer, version).suites.all.map(({ openssl }) => openssl)

  const OLD = 'ALL:@SECLEVEL=0'
  const VERSIONS: Record<string, [tls: TlsOptions, yes: string[]]> = {
    'TLS 1.3 alone': [{ minVersion: 'TLSv1.3' }, ['TLSv1.3']],
    'TLS 1.2 alone': [{ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, ['TLSv1.2']],
    'TLS 1.0 alone': [{ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: OLD }, ['TLSv1']],
    'all of TLS': [{ minVersion: 'TLSv1', ciphers: OLD }, ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1']],
  }
  for (const [what, [tls, yes]] of Object.entries(VERSIONS))
    it(`is told by version: ${what}`, async () => {
      const offer = await smtp(tls)
      assert.deepEqual(
        known(offer),
        ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'].map(
          one => `${one} ${yes.includes(one) ? 'yes' : 'no'}`,
        ),
      )
      assert.equal(offer.brokenOff, undefined)
    })

  const TWO = ['ECDHE-RSA-AES128-GCM-SHA256', 'AES256-SHA', 'ECDHE-RSA-AES256-GCM-SHA384']
  it("has suites in the server's order, where the server has one", async () => {
    const tls = { ciphers: TWO.join(':'), maxVersion: 'TLSv1.2' } as const
    const offer = await smtp({ ...tls, honorCipherOrder: true })
    assert.deepEqual(suites(offer), TWO)
    assert.equal(versionIn(offer, 'TLSv1.2').preference, 'server')
    const follows = await smtp({ ...tls, honorCipherOrder: false })
    assert.deepEqual(suites(follows).sort(), TWO.toSorted())
    assert.equal(versionIn(follows, 'TLSv1.2').preference, 'client')
  })

  it('has no suites with which no handshake succeeds', async () => {
    const tls = createServer({
      ...identity,
      ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2',
    })
    tls.on('tlsClientError', () => {}).on('secureConnection', socket => socket.on('error', () => {}))
    const server = await Loopback.start(socket => tls.emit('connection', socket))
    running.push(server)
    // Spoils each ClientKeyExchange with RSA, as a server does that cannot use its key for this.
    const offer = await behind(client => {
      const onwards = connect(server.endpoint).on('error', () => {})
      onwards.on('data', chunk => client.write(chunk)).on('end', () => client.end())
      client.on('close', () => onwards.destroy())
      client.on('data', chunk => {
        if (chunk[0] === 22 && chunk[5] === 16 && chunk.readUInt16BE(3) > 200) chunk[100]! ^= 1
        onwards.write(chunk)
      })
    })
    assert.deepEqual(suites(offer), ['ECDHE-RSA-AES256-GCM-SHA384'])
    assert.deepEqual(versionIn(offer, 'TLSv1.2').unfinished?.suites, ['AES128-GCM-SHA256'])
    assert.equal(offer.options['resumption by id']?.known, 'no')
  })

  it('has groups in the order of the server, and the size of finite fields', async () => {
    const offer = await smtp({ ecdhCurve: 'P-384:X25519', dhparam: 'auto', ciphers: 'DEFAULT:!PSK' })
    assert.deepEqual(offer.groups.tls13.all, ['P-384', 'X25519'])
    assert.deepEqual(offer.groups.tls12.all, ['P-384', 'X25519'])
    const dhe = versionIn(offer, 'TLSv1.2').suites.all.filter(({ name }) => name.includes('_DHE_'))
    assert.ok(dhe.length > 0)
    for (const { dhBits, forwardSecrecy } of dhe) assert.deepEqual([dhBits, forwardSecrecy], [2048, true])
    const fixed = versionIn(offer, 'TLSv1.2').suites.all.filter(
      ({ name }) => /_WITH_/.test(name) && !/DHE/.test(name),
    )
    assert.ok(fixed.length > 0)
    for (const { forwardSecrecy } of fixed) assert.equal(forwardSecrecy, false)
  })

  it('has the signature algorithms of the key exchange', async () => {
    const offer = await smtp({ sigalgs: 'RSA-PSS+SHA512:RSA+SHA256', maxVersion: 'TLSv1.2' })
    assert.deepEqual(offer.signatures.all.toSorted(), ['rsa_pkcs1_sha256', 'rsa_pss_rsae_sha512'])
  })

  it('has every certificate, with what its chain is worth', async () => {
    const offer = await smtp({
      key: [identity.key, curve.key],
      cert: [identity.cert, curve.cert],
    })
    assert.deepEqual(offer.certificates.map(({ key, chain, names }) => [key.type, chain, names]).sort(), [
      ['ec', 'good', [NAME]],
      ['rsa', 'good', [NAME]],
    ])
    const { offer: foreign } = await enumerate(
      { ...(running.at(-1) as SmtpListener).endpoint, service: 'smtp', helo: HELO },
      { serverName: NAME },
    )
    assert.equal(foreign.certificates.length, 2)
    for (const { chain } of foreign.certificates) assert.match(chain!, /^[A-Z_]+$/)
  })

  it('has the certificate for each server name', async () => {
    const other = await pki.issue({ names: ['other.d1.test'], usage: 'server' })
    const context = createSecureContext({ key: other.key, cert: other.certificate })
    const offer = await smtp({
      SNICallback: (name, done) => done(null, name === NAME ? undefined : context),
    })
    assert.notEqual(offer.byName[NAME], offer.byName['unknown-name.invalid'])
    assert.equal(offer.byName[NAME], offer.byName[''])
    assert.equal(offer.certificates.length, 2)
  })

  it('knows a server that refuses unknown names', async () => {
    const offer = await smtp({
      SNICallback: (name, done) => (name === NAME ? done(null, undefined) : done(new Error('unknown'))),
    })
    assert.equal(offer.options['no server name']?.known, 'yes')
    assert.notEqual(offer.options['unknown server name']?.known, 'yes')
  })

  it('knows what is on and off in a present server', async () => {
    const { options } = await smtp({})
    assert.deepEqual(Object.fromEntries(Object.entries(options).map(([name, { known }]) => [name, known])), {
      'secure renegotiation': 'yes',
      'client-initiated renegotiation': 'yes',
      'extended master secret': 'yes',
      compression: 'no',
      'truncated HMAC': 'no',
      'encrypt-then-MAC': 'yes',
      heartbeat: 'no',
      'fallback signal': 'yes',
      'downgrade marker': 'yes',
      'old record version': 'yes',
      'large hello': 'yes',
      'no server name': 'yes',
      'unknown server name': 'yes',
      'odd server name': 'yes',
      'resumption by ticket': 'yes',
      'resumption by id': 'yes',
      'resumption in TLS 1.3': 'yes',
      'early data': 'no',
      'early ticket': 'no',
    })
  })

  it("knows a server that sends a ticket before the client's Finished", async () => {
    const offer = await behind(socket => {
      const early = new EarlyTicket()
      const tls = createServer({ ...identity, minVersion: 'TLSv1.3' })
      tls.on('tlsClientError', () => {}).on('secureConnection', one => one.on('error', () => {}))
      tls.on('keylog', line => early.secret(line))
      const link = new Link(socket, { received: () => {}, sent: () => {} })
      const carrier = new TlsCarrier(link, { rewrites: bytes => early.through(bytes) })
      tls.emit(
        'connection',
        carrier.on('error', () => {}),
      )
    })
    assert.equal(offer.options['early ticket']?.known, 'yes')
  })

  const bare = (offer: TlsOffer) => {
    const { address: _, connections: __, milliseconds: ___, ...rest } = offer
    return rest
  }

  it('is the same whatever the protocol before TLS', async () => {
    const tls = createServer({ ...identity, ecdhCurve: 'X25519' })
    tls.on('tlsClientError', () => {}).on('secureConnection', socket => socket.on('error', () => {}))
    const implicit = await behind(socket => tls.emit('connection', socket))
    const lmtp = await SmtpListener.start({
      tls: { ...identity, ecdhCurve: 'X25519' },
      replies: line =>
        line.startsWith('LHLO')
          ? '250-here\r\n250 STARTTLS'
          : line.startsWith('EHLO')
            ? '500 LHLO here'
            : undefined,
    })
    running.push(lmtp)
    const over = await scan({ ...lmtp.endpoint, service: 'lmtp', helo: HELO })
    assert.deepEqual(suites(over), suites(implicit))
    assert.deepEqual(known(over), known(implicit))
    assert.deepEqual(over.groups, implicit.groups)
  })

  it('is the same where the server takes few connections at a time', async () => {
    const free = await smtp({})
    const limited = await smtp(
      {},
      {
        greeting: heard =>
          heard.filter(({ closed }) => !closed).length > 2 ? '421 4.7.0 too many connections' : '220 here',
      },
    )
    assert.deepEqual(bare(limited), bare(free))
  })

  it('is unknown, and not refused, from where the server puts the prober off', async () => {
    const offer = await smtp(
      {},
      {
        greeting: heard => (heard.length > 4 ? '421 4.7.0 come back in an hour' : '220 here'),
      },
    )
    assert.match(offer.brokenOff!, /421 4\.7\.0 come back in an hour/)
    const undecided = offer.versions.filter(({ known }) => known === 'unknown')
    assert.ok(undecided.length > 0)
    assert.ok(offer.versions.some(({ known }) => known === 'yes'))
    for (const { suites, known } of offer.versions)
      if (known === 'yes') assert.match(suites.incomplete!, /421/)
    assert.ok(offer.connections < 60, `${offer.connections} connections`)
  })

  const UNREACHABLE: Record<
    string,
    [script: (socket: Socket) => void, service: Target['service'], why: RegExp]
  > = {
    'greets with a refusal': [
      socket => socket.end('554 not here\r\n'),
      'smtp',
      /the connection was answered with 554 not here/,
    ],
    'does not offer STARTTLS': [
      socket => {
        socket.write('220 here\r\n')
        socket.on('data', () => socket.write('250 here\r\n'))
      },
      'smtp',
      /STARTTLS is not offered/,
    ],
    'speaks HTTP': [socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'smtp', /not an SMTP reply/],
    'closes in place of TLS': [
      socket => socket.once('data', () => socket.end()),
      'tls',
      /closes the connection/,
    ],
    'resets in place of TLS': [
      socket => socket.once('data', () => socket.resetAndDestroy()),
      'tls',
      /the connection broke/,
    ],
    'answers TLS with text': [
      socket => socket.once('data', () => socket.end('250 ok\r\n')),
      'tls',
      /malformed: no TLS record/,
    ],
  }
  for (const [what, [script, service, why]] of Object.entries(UNREACHABLE))
    it(`is nothing at all where the server ${what}`, async () => {
      const offer = await behind(script, service)
      assert.match(offer.unreachable!, why)
      assert.deepEqual(offer.versions, [])
    })

  it('is nothing at all where nobody listens', async () => {
    const nobody = await Loopback.start(() => {})
    await nobody.close()
    const offer = await scan({ ...nobody.endpoint, service: 'smtp', helo: HELO })
    assert.match(offer.unreachable!, /^no connection/)
  })
})
