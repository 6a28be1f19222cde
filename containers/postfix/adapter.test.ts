import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { sessionWords } from '../../support/gateway/session-words.ts'
import { standIn } from '../../support/gateway/stand-in.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow, ServiceText } from '../../support/mailflow/mail-flow.ts'
import { sameAsSamples, sampleFlow, samplePki } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { postfix } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(postfix))
const file = (from: MailFlow, path: string) =>
  postfix.render(from, place).files.find(one => one.path === `/etc/postfix/${path}`)

describe('Postfix: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(postfix.render(await flow(), place).files, `${samples}standard-flow`)
  })

  it('requires TLS of every client if the flow does, but never for submission', async () => {
    const everybody = await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki)
    assert.match(file(everybody, 'main.cf')!.content, /^smtpd_tls_security_level = encrypt$/m)
    assert.equal(file(everybody, 'inbound')!.content, '')
    assert.match(
      file(everybody, 'master.cf')!.content,
      /587 .*smtpd\n(?: {2}-o .*\n)*? {2}-o smtpd_tls_security_level=may/,
    )
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
    const settings = file(service, 'main.cf')!.content
    for (const side of ['smtp', 'smtpd'])
      for (const level of ['', 'mandatory_'])
        assert.match(settings, new RegExp(`^${side}_tls_${level}protocols = .*!TLSv1.1, !TLSv1.3$`, 'm'))
    assert.match(settings, /^tls_medium_cipherlist = (ECDHE-[A-Z0-9-]+(:|$))+$/m)
    assert.match(file(service, 'outbound')!.content, /^\.service\.test secure match=nexthop$/m)
  })

  it('has the suites of the service in its own order, and the old versions of 2018, if it stands in for it', async () => {
    const as = async (text: ServiceText) =>
      file(await sampleFlow(standIn(container(postfix), text)), 'main.cf')!.content
    const settings = await as('exchange-online-2018')
    assert.match(settings, /^smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1\.3$/m)
    assert.match(settings, /^tls_preempt_cipherlist = yes$/m)
    assert.match(settings, /^tls_medium_cipherlist = ECDHE-RSA-AES256-GCM-SHA384:.*:AES128-GCM-SHA256$/m)
    assert.match(
      await as('exchange-online-current'),
      /^smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1\.1$/m,
    )
  })

  it('has no certificate file if the certificate is lost', async () => {
    const lost = await changed(await flow(), [CHANGES['has lost its certificate']], samplePki)
    assert.equal(file(lost, 'tls/identity.pem'), undefined)
    assert.equal(file(await flow(), 'tls/identity.pem')!.mode, '0600')
  })

  it('gives a reason for each capability it lacks', () => {
    const source = container(postfix)
    assert.match(source.lacks('certificate-validation')!, /compares a name/)
    assert.match(source.lacks('client-certificates')!, /fingerprints/)
    assert.equal(source.lacks('retry'), undefined)
  })

  it('has the newest release under the bare name', () => {
    assert.equal(container(postfix).name, 'postfix')
    assert.equal(container(postfix, 'bullseye').name, 'postfix@bullseye')
    assert.throws(() => container(postfix, 'potato'), /no release potato/)
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(postfix.deviations!).length > 0)
  })
})

for (const [version, domains] of Object.entries({
  '3.10.13': {
    verified: 'd47-96ea.verified.test',
    plain: 'd8-a0ee.forced.test',
    refused: 'd25-2a3a.forced.test',
    untrusted: 'd50-e649.verified.test',
    cut: 'd194-9102.forced.test',
    stranger: 'd161-edf2.stranger.test',
  },
  '3.5.25': {
    verified: 'd43-81ed.verified.test',
    plain: 'd8-c7cc.forced.test',
    refused: 'd24-5674.forced.test',
    untrusted: 'd48-0584.verified.test',
    cut: 'd184-2b98.forced.test',
    stranger: 'd191-7f0f.stranger.test',
  },
}))
  describe(`Postfix: the log of ${version}`, () => {
    const lines = readFileSync(`${samples}postfix-${version}.log`, 'utf8').split('\n')
    const said = (domain: string) =>
      lines
        .flatMap(line => postfix.read(line) ?? [])
        .filter(({ recipient }) => recipient === `inbox@${domain}`)
    const word = (text: string) => {
      const [first, ...more] = sessionWords(lines, text, postfix)
      assert.deepEqual(more, [])
      const { line, ...rest } = first!
      return rest
    }

    it('says what became of a message, and why', () => {
      assert.deepEqual(said(domains.verified), [
        { kind: 'delivered', recipient: `inbox@${domains.verified}`, reason: '250 2.0.0 Taken' },
      ])
      const [plain] = said(domains.plain)
      assert.equal(plain?.kind, 'deferred')
      assert.match(plain!.reason, /^TLS is required, but was not offered by host mx\.d8/)
      const [refused] = said(domains.refused)
      assert.equal(refused?.kind, 'bounced')
      assert.match(refused!.reason, /refused to start TLS: 500 5\.5\.1 Unknown command$/)
    })

    it('reports each attempt once', () => {
      assert.deepEqual(
        said(domains.cut).map(({ kind }) => kind),
        ['deferred', 'delivered'],
      )
    })

    it('says which TLS an outgoing session had', () => {
      const session = { tls: true, version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' }
      assert.deepEqual(word(domains.verified), { ...session, verified: true })
      assert.deepEqual(word(domains.untrusted), { ...session, verified: false })
      assert.deepEqual(sessionWords(lines, domains.plain, postfix), [])
    })

    it('finds the TLS of an incoming session by the sender of the message', () => {
      assert.equal(word(domains.stranger).verified, false)
    })

    it('says once that Postfix is ready', () => {
      assert.equal(lines.filter(line => postfix.ready.test(line)).length, 1)
    })
  })

describe('Postfix: its version', () => {
  it('is read with the version of its TLS library', () => {
    assert.deepEqual(postfix.readVersion('3.10.13\nOpenSSL 3.5.9 29 Sep 2026\n'), {
      version: '3.10.13',
      library: 'OpenSSL 3.5.9',
    })
    assert.equal(postfix.readVersion('3.5.25\nOpenSSL 1.1.1w  11 Sep 2023\n').library, 'OpenSSL 1.1.1w')
    assert.throws(() => postfix.readVersion('postconf: fatal'), /no version of Postfix/)
  })
})
