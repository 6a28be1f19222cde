import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { sessionWords } from '../../support/gateway/session-words.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { sameAsSamples, sampleFlow, samplePki } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { exim } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(exim))
const file = (from: MailFlow, path: string) =>
  exim.render(from, place).files.find(one => one.path === `/etc/exim4/${path}`)

describe('Exim: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(exim.render(await flow(), place).files, `${samples}standard-flow`)
  })

  it('puts the most specific connector first and the one for all last', async () => {
    const rules: MailFlow['inbound'] = ['*', '*.b.test', '*.a.b.test', 'b.test'].map(from => ({
      from,
      tls: 'required',
    }))
    assert.equal(
      file({ ...(await flow()), inbound: rules }, 'inbound')!.content,
      'b.test: tls\n*.a.b.test: tls\n*.b.test: tls\n*: tls\n',
    )
  })

  it('refuses an unencrypted VRFY if every client must use TLS', async () => {
    const everybody = await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki)
    const vrfy = /^vrfy:\n {2}deny\n {4}!encrypted = \*\n {4}message = 530/m
    assert.match(file(everybody, 'exim4.conf')!.content, vrfy)
    assert.doesNotMatch(file(await flow(), 'exim4.conf')!.content, vrfy)
  })

  it('uses only TLS 1.2 and forward secrecy in both directions if the flow says so', async () => {
    const service = await changed(
      await flow(),
      [
        CHANGES['belongs to a service'],
        CHANGES['speaks TLS 1.2 and nothing newer'],
        CHANGES['uses key exchange with forward secrecy alone'],
      ],
      samplePki,
    )
    const priorities = file(service, 'exim4.conf')!.content.match(/tls_require_ciphers = .*/g)!
    assert.ok(priorities.length > 2)
    for (const priority of priorities) {
      assert.match(priority, /-VERS-ALL:\+VERS-TLS1\.2:/)
      assert.match(priority, /-KX-ALL:\+ECDHE-ECDSA:\+ECDHE-RSA:-MAC/)
    }
    assert.match(file(service, 'outbound')!.content, /^\*\.service\.test: domain_validation$/m)
    assert.match(file(service, 'inbound')!.content, /^\*\.service\.test: tls$/m)
  })

  it('has no certificate file if the certificate is lost', async () => {
    const lost = await changed(await flow(), [CHANGES['has lost its certificate']], samplePki)
    assert.equal(file(lost, 'tls/chain.pem'), undefined)
    assert.equal(file(lost, 'tls/key.pem')!.mode, '0640')
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(exim.deviations!).length > 0)
  })
})

describe('Exim: the log of 4.98.2', () => {
  const lines = readFileSync(`${samples}exim-4.98.2.log`, 'utf8').split('\n')
  const said = (domain: string) =>
    lines.flatMap(line => exim.read(line) ?? []).filter(({ recipient }) => recipient === `inbox@${domain}`)
  const word = (text: string) => {
    const [first, ...more] = sessionWords(lines, text, exim)
    assert.deepEqual(more, [])
    const { line, ...rest } = first!
    return rest
  }
  const session = {
    tls: true,
    version: 'TLS1.3',
    suite: 'ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM',
  }

  it('says what became of a message, and why', () => {
    const [sent, ...more] = said('d67-87db.verified.test')
    assert.equal(sent?.kind, 'delivered')
    assert.match(sent!.reason, /C="250 2\.0\.0 Taken"$/)
    assert.deepEqual(more, [])
    const [plain] = said('d5-77ad.forced.test')
    assert.equal(plain?.kind, 'deferred')
    assert.match(plain!.reason, /a TLS session is required, but the server did not offer TLS support$/)
    assert.match(said('d68-4c52.verified.test')[0]!.reason, /certificate verification failed/)
  })

  it('takes the recipient of the envelope where Exim writes another address', () => {
    const quoted = '"inbox@elsewhere.test"@d1.test'
    const line = `2026-11-30 23:11:28 1xYAWu-0000000000T-2Zxv == inbox@elsewhere.test@d1.test <${quoted}> R=mail: no TLS`
    assert.deepEqual(exim.read(line), { kind: 'deferred', recipient: quoted, reason: 'R=mail: no TLS' })
  })

  it('reports a bounce, with or without a colon after the address', () => {
    const bounced = '2026-11-24 20:04:32 1xVwki-0000000000O-082J ** inbox@d1.test'
    for (const line of [`${bounced} R=mail T=opportunistic: 550 no`, `${bounced}: 550 no`])
      assert.deepEqual(
        [exim.read(line) ?? []].flat().map(({ kind, recipient }) => [kind, recipient]),
        [['bounced', 'inbox@d1.test']],
      )
  })

  it('says nothing about a message that Exim lost', () => {
    assert.ok(lines.some(line => line.includes('peer close after all rcpt responses')))
    assert.deepEqual(said('d148-3aa1.forced.test'), [])
  })

  it('says which TLS a session had', () => {
    assert.deepEqual(word('d67-87db.verified.test'), { ...session, verified: true })
    assert.deepEqual(word('d8-7763.opportunistic.test'), { tls: false })
    assert.deepEqual(word('d15-48cf.certified.test'), { ...session, verified: true, incoming: true })
    assert.deepEqual(word('d13-ac7b.stranger.test'), { ...session, verified: false, incoming: true })
  })

  it('says once that Exim is ready', () => {
    assert.equal(lines.filter(line => exim.ready.test(line)).length, 1)
  })
})

describe('Exim: its version', () => {
  it('is read with the version of its TLS library', () => {
    const text =
      'Exim version 4.98.2 uid=0 gid=0 pid=7 D=f7715cfd\nLibrary version: GnuTLS: Compile: 3.8.9\n                         Runtime: 3.8.9\n'
    assert.deepEqual(exim.readVersion(text), { version: '4.98.2', library: 'GnuTLS 3.8.9' })
    assert.throws(() => exim.readVersion('exim: no'), /no version of Exim/)
  })
})
