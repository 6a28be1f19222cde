import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { sessionWords } from '../../support/gateway/session-words.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { sameAsSamples, sampleFlow, samplePki } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { opensmtpd } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(opensmtpd))
const file = (from: MailFlow, path: string) =>
  opensmtpd.render(from, place).files.find(one => one.path === `/etc/smtpd/${path}`)
const configuration = (from: MailFlow) => file(from, 'smtpd.conf')!.content

describe('OpenSMTPD: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(opensmtpd.render(await flow(), place).files, `${samples}standard-flow`)
  })

  it('puts the most specific connector first and the one for all last', async () => {
    const outbound: MailFlow['outbound'] = ['*.b.test', '*.a.b.test', 'b.test'].map(to => ({
      to,
      tls: 'encryption-only',
    }))
    const patterns = configuration({ ...(await flow()), outbound }).matchAll(
      /match tag submission from any for domain regex "(.*)" action/g,
    )
    assert.deepEqual(
      [...patterns].map(([, pattern]) => pattern),
      ['(?i)^b[.]test$', '(?i)^.*[.]a[.]b[.]test$', '(?i)^.*[.]b[.]test$'],
    )
  })

  it('requires TLS of every client if the flow does, but never for submission', async () => {
    const everybody = configuration(
      await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki),
    )
    assert.match(everybody, /^listen on 0\.0\.0\.0 port 25 tls-require pki gateway/m)
    assert.match(everybody, /^listen on 0\.0\.0\.0 port 587 tls pki gateway/m)
  })

  it('offers no TLS without its certificate, because it would not start with a missing file', async () => {
    const lost = await changed(await flow(), [CHANGES['has lost its certificate']], samplePki)
    assert.equal(file(lost, 'tls/chain.pem'), undefined)
    assert.doesNotMatch(configuration(lost), /pki|port 25 tls|auth-optional/)
    assert.equal(file(lost, 'tls/key.pem')!.mode, '0600')
  })

  it('gives a reason for each capability it lacks', () => {
    const source = container(opensmtpd)
    assert.match(source.lacks('inbound-required')!, /only in its manual/)
    assert.equal(source.lacks('retry'), undefined)
  })

  it('comes from backports if the OpenSMTPD of the release cannot use a private key', () => {
    assert.deepEqual(
      opensmtpd.releases.map(({ name, args }) => [name, args?.['SUITE']]),
      [
        ['trixie', undefined],
        ['bookworm', 'bookworm-backports'],
        ['bullseye', undefined],
      ],
    )
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(opensmtpd.deviations!).length > 0)
  })
})

describe('OpenSMTPD: the log of 7.6.0', () => {
  const lines = readFileSync(`${samples}opensmtpd-7.6.0.log`, 'utf8').split('\n')
  const said = (domain: string) =>
    lines
      .flatMap(line => opensmtpd.read(line) ?? [])
      .filter(({ recipient }) => recipient === `inbox@${domain}`)
  const words = (text: string) => sessionWords(lines, text, opensmtpd).map(({ line, ...word }) => word)
  const session = { tls: true, version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' }

  it('says what became of a message, and why', () => {
    assert.deepEqual(said('d4-e7a7.forced.test'), [
      { kind: 'delivered', recipient: 'inbox@d4-e7a7.forced.test', reason: '250 2.0.0 Taken' },
    ])
    assert.deepEqual(said('d7-40c7.opportunistic.test'), [
      {
        kind: 'bounced',
        recipient: 'inbox@d7-40c7.opportunistic.test',
        reason: '550 5.1.1 Nobody here',
      },
    ])
  })

  it('does not say why TLS failed (a known fault)', () => {
    assert.ok(lines.some(line => line.includes('certificate verification failed: self-signed certificate')))
    for (const domain of ['d8-b784.verified.test', 'd10-da3a.forced.test'])
      assert.deepEqual(said(domain), [
        { kind: 'deferred', recipient: `inbox@${domain}`, reason: 'Network error on destination MXs' },
      ])
  })

  it('says which TLS an outgoing session had, and whether OpenSMTPD verified the certificate', () => {
    assert.deepEqual(words('d1-8500.verified.test'), [{ ...session, verified: true }])
    assert.deepEqual(words('d4-e7a7.forced.test'), [{ ...session, verified: false }])
    assert.deepEqual(words('d15-4400.opportunistic.test'), [{ tls: false }])
    assert.deepEqual(words('d10-da3a.forced.test'), [])
  })

  it('finds the TLS of an incoming session by the sender of the message', () => {
    assert.deepEqual(words('d14-bc19.stranger.test'), [session])
  })

  it('says once that OpenSMTPD is ready', () => {
    assert.equal(lines.filter(line => opensmtpd.ready.test(line)).length, 1)
  })
})

describe('OpenSMTPD: its version', () => {
  it('is read with the version of its TLS library', () => {
    const text =
      'version: OpenSMTPD 7.6.0-portable\nusage: smtpd\nlibssl3\t\nlibssl3t64:amd64\t3.5.9-1~deb13u1\n'
    assert.deepEqual(opensmtpd.readVersion(text), { version: '7.6.0', library: 'OpenSSL 3.5.9' })
    assert.throws(() => opensmtpd.readVersion('smtpd: no'), /no version of OpenSMTPD/)
  })
})
