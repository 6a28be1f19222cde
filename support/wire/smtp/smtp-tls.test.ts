import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { Pki } from '../../pki/pki.ts'
import { Loopback } from '../../test-bed/fixtures/loopback.ts'
import { Recorder } from '../recorder.ts'
import { type ClientTls, SmtpClient, WireError } from './smtp.ts'

const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

describe('an SMTP client that starts TLS', () => {
  const pki = new Pki()
  const identities = {} as { good: TlsOptions; trust: string[]; client: { key: string; certificate: string } }
  let server: Loopback

  before(async () => {
    const [{ key, certificate }, client, root] = await Promise.all([
      pki.issue({ names: ['mx.d1.test'], usage: 'server' }),
      pki.issue({ names: ['probe.test'], usage: 'client' }),
      pki.root(),
    ])
    Object.assign(identities, { good: { key, cert: certificate }, trust: [root], client })
  })
  afterEach(() => server.close())

  /** After the answer to STARTTLS, `next` has the connection. */
  async function goAhead(next: (socket: Socket) => void, answer = '220 go\r\n') {
    server = await Loopback.start(socket =>
      socket.once('data', () => {
        next(socket)
        socket.write(answer)
      }),
    )
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx' })
    const client = await SmtpClient.connect(server.endpoint, recorder)
    assert.equal((await client.command('STARTTLS')).code, 220)
    return { client, conversation: recorder.conversation }
  }

  /** Answers every line inside TLS with `250 heard`. */
  const speaksTls = (options: TlsOptions, script = answers) => {
    return (socket: Socket) => {
      const tls = createServer({ ...identities.good, ...options }, script)
      tls.on('tlsClientError', () => {})
      tls.emit('connection', socket)
    }
  }
  const answers = (socket: TLSSocket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write('250 heard\r\n'))
  }

  for (const requestCert of [true, false])
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      for (const suite of version === 'TLSv1.2' ? ['DEFAULT'] : TLS13_SUITES)
        it(`sees that ${requestCert ? 'a' : 'no'} certificate is asked for, ${version} ${suite}`, async () => {
          const { client, conversation } = await goAhead(
            speaksTls({
              requestCert,
              rejectUnauthorized: false,
              minVersion: version,
              maxVersion: version,
              ciphers: suite,
            }),
          )
          await client.startTls({ identity: identities.client })
          const { handshake } = conversation
          assert.equal(handshake?.clientCertificateRequested, requestCert || undefined)
          assert.equal(handshake?.clientCertificate?.subject, requestCert ? 'CN=probe.test' : undefined)
          client.close()
        })

  const broken = async (promise: Promise<unknown>, breakdown: string) => {
    const error = await promise.then(
      () => assert.fail('it went well'),
      (error: unknown) => error,
    )
    assert.ok(error instanceof WireError, String(error))
    assert.equal(error.breakdown, breakdown)
    return error.message
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`records what was agreed: ${version}`, async () => {
      const { client, conversation } = await goAhead(speaksTls({ maxVersion: version }))
      await client.startTls({ servername: 'mx.d1.test', trust: identities.trust })
      const reply = await client.command('EHLO probe')
      assert.deepEqual([reply.text, reply.secured, client.secured], ['250 heard', true, true])
      assert.equal(client.chainError, undefined)
      const { handshake, clear } = conversation
      assert.equal(handshake?.version, version)
      assert.match(handshake?.suite ?? '', /^TLS_.*AES_/)
      assert.ok(handshake?.group)
      assert.equal(handshake?.offered?.serverName, 'mx.d1.test')
      assert.deepEqual(handshake?.serverCertificate?.names, ['mx.d1.test'])
      assert.equal(handshake?.serverCertificate?.chainLength, 2)
      assert.equal(clear.fromSender, 'STARTTLS\\r\\n')
      assert.equal(clear.fromReceiver, '220 go\\r\\n')
      client.close()
    })

  it('judges the chain by the given roots, and not the name', async () => {
    const { client } = await goAhead(speaksTls({}))
    await client.startTls({ servername: 'another.test', trust: identities.trust })
    assert.equal(client.chainError, undefined)
    client.close()
    await server.close()
    const { client: second } = await goAhead(speaksTls({}))
    assert.equal(second.chainError, 'no TLS')
    await second.startTls({ trust: [await pki.root('other')] })
    assert.match(second.chainError ?? '', /ISSUER|SELF_SIGNED|UNABLE/)
    second.close()
  })

  it('shows its certificate with its chain where it was asked for one', async () => {
    const { client, conversation } = await goAhead(
      speaksTls({ requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }),
    )
    await client.startTls({ identity: identities.client })
    assert.equal(conversation.handshake?.clientCertificateRequested, true)
    assert.deepEqual(conversation.handshake?.clientCertificate?.names, ['probe.test'])
    assert.equal(conversation.handshake?.clientCertificate?.chainLength, 2)
    client.close()
    await server.close()
    const unasked = await goAhead(speaksTls({ maxVersion: 'TLSv1.2' }))
    await unasked.client.startTls({ identity: identities.client })
    assert.equal(unasked.conversation.handshake?.clientCertificate, undefined)
    unasked.client.close()
  })

  const failures: [string, (socket: Socket) => void, ClientTls, string, RegExp][] = [
    [
      'no common version',
      s => speaksTls({ minVersion: 'TLSv1.3' })(s),
      { maxVersion: 'TLSv1.2' },
      'handshake failure',
      /alert/,
    ],
    [
      'the end of the connection',
      s => s.once('data', () => s.end()),
      {},
      'handshake failure',
      /clos|disconnect/,
    ],
    ['a reset', s => s.once('data', () => s.resetAndDestroy()), {}, 'handshake failure', /ECONNRESET|closed/],
    [
      'bytes that are no TLS',
      s => s.once('data', () => s.write('421 no\r\n')),
      {},
      'handshake failure',
      /wrong version number|packet/,
    ],
    ['silence', s => s.resume(), {}, 'no answer', /no answer to the handshake/],
  ]
  for (const [what, next, tls, breakdown, detail] of failures)
    it(`knows a handshake that ends with ${what}`, async () => {
      const { client, conversation } = await goAhead(next)
      const wait = what === 'silence' ? 30 : undefined
      assert.match(await broken(client.startTls(tls, wait), breakdown), detail)
      assert.match(conversation.handshake?.error ?? '', detail)
      assert.equal(conversation.handshake?.breakdown, breakdown)
      assert.equal(conversation.labError, undefined)
      assert.equal(conversation.closed, true)
      await broken(client.command('NOOP'), breakdown)
    })

  it('blames the lab, not the receiver, for a key of ours that cannot be used', async () => {
    const { client, conversation } = await goAhead(speaksTls({}))
    const startTls = client.startTls({ identity: { key: 'no key', certificate: 'no certificate' } })
    await assert.rejects(startTls, error => !(error instanceof WireError))
    assert.ok(conversation.labError)
    assert.equal(conversation.handshake?.error, undefined)
    assert.equal(conversation.closed, true)
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`calls it a failed handshake when its certificate is refused: ${version}`, async () => {
      const { client } = await goAhead(
        speaksTls({ requestCert: true, rejectUnauthorized: true, maxVersion: version }),
      )
      const greeted = async () => {
        await client.startTls({})
        await client.command('EHLO probe')
      }
      assert.match(await broken(greeted(), 'handshake failure'), /alert/)
    })

  it('calls it closed when TLS ends after an answer', async () => {
    const { client } = await goAhead(
      speaksTls({}, socket => {
        socket.on('data', () => socket.write('250 heard\r\n'))
        socket.once('data', () => socket.once('data', () => socket.destroy()))
      }),
    )
    await client.startTls({})
    await client.command('EHLO probe')
    const end = client.command('NOOP').then(() => client.reply())
    assert.match(await broken(end, 'connection closed'), /the receiver closed|gone/)
  })

  it('takes no reply from before TLS for one inside it', async () => {
    const injected = '250 injected\r\n250-half of another\r\n250 thi'
    const { client, conversation } = await goAhead(speaksTls({}), `220 go\r\n${injected}`)
    assert.deepEqual(
      client.unread.map(({ text, secured }) => [text, secured]),
      [['250 injected', false]],
    )
    await client.startTls({})
    assert.equal(client.unread.length, 0)
    const reply = await client.command('EHLO probe')
    assert.deepEqual([reply.text, reply.lines.length], ['250 heard', 1])
    assert.match(conversation.clear.fromReceiver, /injected.*250 thi$/)
    const clear = conversation.events.filter(({ from, secured }) => from === 'receiver' && !secured)
    assert.ok(clear.some(({ kind, text }) => kind === 'bytes' && text.endsWith('250 thi')))
    client.close()
  })

  it('sees clear bytes that follow TLS on the same connection', async () => {
    let raw: Socket
    const { client, conversation } = await goAhead(socket => {
      raw = socket
      speaksTls({})(socket)
    })
    await client.startTls({})
    await client.command('EHLO probe')
    raw!.write('250 in clear\r\n')
    await broken(client.reply(), 'connection closed')
    const stray = conversation.events.find(({ kind }) => kind === 'bytes')
    assert.equal(stray?.text, 'not TLS: 250 in clear\\r\\n')
    assert.equal(stray?.secured, false)
  })

  it('says close_notify when it quits', async () => {
    const ended = Promise.withResolvers<string>()
    const { client } = await goAhead(
      speaksTls({}, socket => {
        answers(socket)
        socket.on('error', error => ended.reject(error))
        socket.on('end', () => ended.resolve('end'))
      }),
    )
    await client.startTls({})
    await client.quit()
    assert.equal(await ended.promise, 'end')
  })
})
