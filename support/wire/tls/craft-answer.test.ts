import assert from 'node:assert/strict'
import { constants } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import { Pki } from '../../pki/pki.ts'
import { answerBytes, type CraftedAnswer, suiteOfAnswer, suitesNamed } from './craft-answer.ts'
import { alertName } from './tls-names.ts'
import { RecordReader } from './tls-records.ts'

/** What a client of OpenSSL does with a crafted answer: the name of its alert, or that it goes on. */
const CASES: [what: string, CraftedAnswer, ends: string, more?: ConnectionOptions][] = [
  ['an answer without fault', {}, 'goes on'],
  ['key exchange by RSA', { suites: ['TLS_RSA_WITH_AES_128_GCM_SHA256'] }, 'goes on'],
  ['finite fields of 1024 bits', { suites: suitesNamed(/_DHE_RSA_WITH_AES_256_GCM/) }, 'handshake_failure'],
  [
    'finite fields of 1024 bits where the client takes all',
    { suites: suitesNamed(/_DHE_RSA_WITH_AES_256_GCM/) },
    'goes on',
    { ciphers: 'DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0' },
  ],
  ['a suite that nobody offered', { suites: ['TLS_RSA_WITH_RC4_128_SHA'] }, 'illegal_parameter'],
  ['SSL 3', { version: 'SSLv3' }, 'protocol_version'],
  ['TLS 1.0', { version: 'TLSv1' }, 'protocol_version'],
  ['TLS 1.1', { version: 'TLSv1.1' }, 'protocol_version'],
  [
    'TLS 1.1 where the client takes it',
    { version: 'TLSv1.1' },
    'goes on',
    { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
  ],
  ['the marker of a downgrade', { marked: true }, 'illegal_parameter'],
  ['the marker where the client has nothing newer', { marked: true }, 'goes on', { maxVersion: 'TLSv1.2' }],
  ['compression', { compresses: true }, 'illegal_parameter'],
  ['no secure renegotiation', { renegotiatesInsecurely: true }, 'handshake_failure'],
  [
    'no secure renegotiation where the client does without',
    { renegotiatesInsecurely: true },
    'goes on',
    { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT },
  ],
  ['a curve of 192 bits', { curve: 'secp192r1' }, 'illegal_parameter'],
  ['a signature with SHA-1', { digest: 'sha1' }, 'illegal_parameter'],
  [
    'a signature with SHA-1 where the client takes it',
    { digest: 'sha1' },
    'goes on',
    { ciphers: 'ALL:@SECLEVEL=0' },
  ],
  ['a record that is too long', { longRecord: true }, 'record_overflow'],
]

describe('a crafted answer', () => {
  const pki = new Pki()

  async function endOf(answer: CraftedAnswer, options: ConnectionOptions): Promise<string> {
    const { key, certificate: chain } = await pki.issue({ names: ['mx.d1.test'], usage: 'server' })
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const link = connect((server.address() as { port: number }).port, '127.0.0.1')
    const client = tlsConnect({ socket: link, rejectUnauthorized: false, ...options })
    client.on('error', () => {})
    const [socket] = await accepted
    const reader = new RecordReader()
    try {
      for await (const chunk of socket)
        for (const sighting of reader.read(chunk)) {
          if (sighting.kind === 'client-hello') socket.write(answerBytes(answer, { ...sighting, key, chain }))
          if (sighting.kind === 'key-exchange') return 'goes on'
          if (sighting.kind === 'alert') return alertName(sighting.description)
        }
      return 'closed'
    } finally {
      client.destroy()
      socket.destroy()
      server.close()
    }
  }

  for (const [what, answer, ends, options = {}] of CASES)
    it(`with ${what}: ${ends}`, async () => {
      assert.equal(await endOf(answer, options), ends)
    })

  it('has the first of its suites that the client offers, or the first of all', () => {
    const hello = { suites: ['b', 'a'] } as Parameters<typeof suiteOfAnswer>[1]
    assert.deepEqual(
      [['c', 'a', 'b'], ['d']].map(suites => suiteOfAnswer({ suites }, hello)),
      ['a', 'd'],
    )
  })
})
