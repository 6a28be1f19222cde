import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { sessionWords } from '../../support/gateway/session-words.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { sameAsSamples, sampleFlow, samplePki } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { mox } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(mox))
const file = (from: MailFlow, path: string) =>
  mox.render(from, place).files.find(one => one.path === `/mox/config/${path}`)

describe('mox: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(mox.render(await flow(), place).files, `${samples}standard-flow`)
  })

  it('indents only with tabs, as the sconf format requires', async () => {
    for (const path of ['mox.conf', 'domains.conf'])
      assert.doesNotMatch(file(await flow(), path)!.content, /^\t* /m)
  })

  it('requires TLS of every client if the flow does', async () => {
    const everybody = await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki)
    assert.match(file(everybody, 'mox.conf')!.content, /RequireSTARTTLS: true/)
    assert.match(file(await flow(), 'mox.conf')!.content, /RequireSTARTTLS: false/)
  })

  it('gives a reason for each capability it lacks, and refuses to run without its certificate', () => {
    const source = container(mox)
    assert.match(source.lacks('encryption-only')!, /one host by its name/)
    assert.match(source.lacks('inbound-required')!, /all clients or of none/)
    assert.equal(source.lacks('retry'), undefined)
    assert.match(source.refuses!(CHANGES['has lost its certificate'])!, /does not start/)
    assert.equal(source.refuses!(CHANGES['trusts both roots']), undefined)
    assert.equal(source.login, true)
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(mox.deviations!).length > 0)
  })
})

describe('mox: the log of 0.0.15', () => {
  const lines = readFileSync(`${samples}mox-0.0.15.log`, 'utf8').split('\n')
  const said = (domain: string) =>
    lines.flatMap(line => mox.read(line) ?? []).filter(({ recipient }) => recipient === `inbox@${domain}`)
  const word = (text: string) => {
    const [first, ...more] = sessionWords(lines, text, mox)
    assert.deepEqual(more, [])
    const { line, ...rest } = first!
    return rest
  }

  it('says what became of a message, and why', () => {
    const broken = 'inbox@d74-4491.opportunistic.test'
    assert.deepEqual(said('d74-4491.opportunistic.test'), [
      { kind: 'delivered', recipient: broken, reason: 'delivered from queue' },
    ])
    const deferred = {
      kind: 'deferred',
      recipient: 'inbox@d1-5249.opportunistic.test',
      reason: 'transient: 451 4.3.0 Later',
    }
    assert.deepEqual(said('d1-5249.opportunistic.test'), [deferred, deferred])
    assert.deepEqual(said('d2-a0e4.opportunistic.test'), [
      {
        kind: 'bounced',
        recipient: 'inbox@d2-a0e4.opportunistic.test',
        reason: 'permanent: 550 5.7.1 Never',
      },
    ])
  })

  it('reports a failure about which mox also notifies the author', () => {
    const line =
      'l=error m="temporary failure delivering from queue, sending delayed dsn" err="dial: \\"no\\"" recipient=a@b.test'
    assert.deepEqual(mox.read(line), { kind: 'deferred', recipient: 'a@b.test', reason: 'dial: "no"' })
  })

  it('says which TLS an outgoing session had, also for a second unencrypted try', () => {
    const session = { tls: true, version: 'tls1.3', suite: 'tls_aes_256_gcm_sha384' }
    assert.deepEqual(word('d112-fc31.opportunistic.test'), { ...session, verified: false })
    assert.deepEqual(word('d74-4491.opportunistic.test'), { tls: false })
  })

  it('says nothing about an unencrypted session, and does not confuse it with the session of the submission', () => {
    assert.ok(lines.some(line => line.includes('rcptto=inbox@d114-4e52.opportunistic.test')))
    assert.deepEqual(sessionWords(lines, 'd114-4e52.opportunistic.test', mox), [])
  })

  it('calls a session verified if an authority or a matching TLSA record verified it', () => {
    const verified = (facts: string) =>
      mox.session(
        `m="starttls client handshake done" ${facts} ignoretlsverifyerrors=false version=tls1.3 ciphersuite=x`,
      )?.verified
    assert.equal(verified('verifypkix=true verifydane=false'), true)
    assert.equal(
      verified('verifypkix=false verifydane=true danerecord="dane-ee(3) spki(1) sha2-256(1) 00"'),
      true,
    )
    assert.equal(verified('verifypkix=false verifydane=true danerecord="pkix-ta(0) cert(0) full(0) "'), false)
  })

  it('finds the TLS of an incoming session by the sender of the message', () => {
    const session = { tls: true, version: 'tls1.3', suite: 'tls_aes_128_gcm_sha256' }
    assert.deepEqual(word('d115-e664.stranger.test'), { ...session, verified: false })
  })

  it('says once that mox is ready', () => {
    assert.equal(lines.filter(line => mox.ready.test(line)).length, 1)
  })
})

describe('mox: its version', () => {
  it('is read with the version of Go', () => {
    assert.deepEqual(mox.readVersion('v0.0.15-go1.24.4\nlinux/amd64\n'), {
      version: '0.0.15',
      library: 'Go 1.24.4',
    })
    assert.throws(() => mox.readVersion('mox: no'), /no version of mox/)
  })
})
