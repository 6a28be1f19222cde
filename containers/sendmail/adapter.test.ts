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
import { sendmail } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(sendmail))
const file = (from: MailFlow, path: string) =>
  sendmail.render(from, place).files.find(one => one.path === `/etc/mail/${path}`)

describe('Sendmail: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(sendmail.render(await flow(), place).files, `${samples}standard-flow`)
  })

  it('requires TLS of every client if the flow does', async () => {
    const everybody = await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki)
    assert.match(file(everybody, 'access')!.content, /^Inbound:\tPERM\+ENCR:112$/m)
  })

  it('has the suites of the service, in its order, and the versions that its text has', async () => {
    const as = async (text: ServiceText) =>
      file(await sampleFlow(standIn(container(sendmail), text)), 'flow.m4')!.content
    const old = await as('exchange-online-2018')
    assert.match(
      old,
      /^define\(`confCIPHER_LIST', `ECDHE-RSA-AES256-GCM-SHA384:.*:AES128-GCM-SHA256:@SECLEVEL=0'\)/m,
    )
    assert.equal(old.match(/_OPTIONS', `\+SSL_OP_NO_SSLv2 \+SSL_OP_NO_SSLv3 \+0x20000000 /g)?.length, 2)
    const later = await as('exchange-online-2021')
    assert.match(later, /\+SSL_OP_NO_TLSv1 \+SSL_OP_NO_TLSv1_1 \+0x20000000 /)
    assert.doesNotMatch(later, /SECLEVEL|ECDSA/)
    assert.doesNotMatch(await as('exchange-online-current'), /0x2/)
  })

  it('has a row for the names below a domain: the demand of a wider connector, or SKIP', async () => {
    const outbound: MailFlow['outbound'] = [
      { to: 'a.b.test', tls: 'domain-validation' },
      { to: '*.b.test', tls: 'encryption-only' },
      { to: 'c.test', tls: 'encryption-only' },
    ]
    assert.equal(
      file({ ...(await flow()), inbound: [], outbound }, 'access')!.content,
      [
        'Outbound:a.b.test\tTEMP+VERIFY:112+CN',
        'Outbound:.b.test\tTEMP+ENCR:112',
        'Outbound:c.test\tTEMP+ENCR:112',
        'Outbound:.a.b.test\tTEMP+ENCR:112',
        'Outbound:.c.test\tSKIP',
        '',
      ].join('\n'),
    )
  })

  it('puts the intermediate certificates of its own chain among the authorities', async () => {
    const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`
    const identity = { key: '', certificate: pem('leaf') + pem('issuer') }
    const { content } = file({ ...(await flow()), identity }, 'tls/authorities.pem')!
    assert.equal(content, `<certificate of root>\n${pem('issuer')}`)
  })

  it('has no certificate file if the certificate is lost', async () => {
    const lost = await changed(await flow(), [CHANGES['has lost its certificate']], samplePki)
    assert.equal(file(lost, 'tls/chain.pem'), undefined)
    assert.equal(file(lost, 'tls/key.pem')!.mode, '0600')
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(sendmail.deviations!).length > 0)
  })
})

for (const [version, domains] of Object.entries({
  '8.18.1': {
    verified: 'd50-cc83.verified.test',
    plain: 'd204-4a21.forced.test',
    refused: 'd38-8417.forced.test',
    untrusted: 'd58-ca5e.verified.test',
    cut: 'd152-7dd4.forced.test',
    certified: 'd186-9bfa.certified.test',
    stranger: 'd188-9665.stranger.test',
  },
  '8.15.2': {
    verified: 'd57-ac4c.verified.test',
    plain: 'd205-c061.forced.test',
    refused: 'd40-1c0b.forced.test',
    untrusted: 'd62-3243.verified.test',
    cut: 'd146-8d3b.forced.test',
    certified: 'd185-f1c2.certified.test',
    stranger: 'd187-ad81.stranger.test',
  },
}))
  describe(`Sendmail: the log of ${version}`, () => {
    const lines = readFileSync(`${samples}sendmail-${version}.log`, 'utf8').split('\n')
    const said = (domain: string) =>
      lines
        .flatMap(line => sendmail.read(line) ?? [])
        .filter(({ recipient }) => recipient === `inbox@${domain}`)
    const word = (text: string) => {
      const [first, ...more] = sessionWords(lines, text, sendmail)
      assert.deepEqual(more, [])
      const { line, ...rest } = first!
      return rest
    }
    const session = { tls: true, version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' }

    it('says what became of a message, and why', () => {
      assert.deepEqual(said(domains.verified), [
        { kind: 'delivered', recipient: `inbox@${domains.verified}`, reason: 'Sent (Taken)' },
      ])
      for (const domain of [domains.plain, domains.refused]) {
        const [held, ...more] = said(domain)
        assert.equal(held?.kind, 'deferred')
        assert.match(held!.reason, /^Deferred: 403 4\.7\.0 encryption too weak 0 less than 112/)
        assert.deepEqual(more, [])
      }
      assert.match(said(domains.untrusted)[0]!.reason, /the certificate cannot be verified$/)
    })

    it('reports each attempt once', () => {
      assert.deepEqual(
        said(domains.cut).map(({ kind }) => kind),
        ['deferred', 'delivered'],
      )
    })

    it('says which TLS an outgoing session had', () => {
      assert.deepEqual(word(domains.verified), { ...session, verified: true })
      assert.deepEqual(word(domains.untrusted), { ...session, verified: false })
      assert.deepEqual(sessionWords(lines, domains.plain, sendmail), [])
    })

    it('finds the TLS of an incoming session by the sender of the message', () => {
      assert.deepEqual(word(domains.certified), { ...session, verified: true })
      assert.deepEqual(word(domains.stranger), { ...session, verified: false })
    })

    it('says once that Sendmail is ready', () => {
      assert.equal(lines.filter(line => sendmail.ready.test(line)).length, 1)
    })
  })

describe('Sendmail: a single line', () => {
  it('reports a bounce, but not a message that Sendmail only puts into its queue', () => {
    const to =
      'Nov 24 22:00:00 sendmail[7]: 6AOM000001: to=<inbox@d1.test>, delay=00:00:00, mailer=esmtp, pri=1,'
    const read = (said: string) =>
      [sendmail.read(`${to} ${said}`) ?? []].flat().map(({ kind, reason }) => [kind, reason])
    assert.deepEqual(read('dsn=5.1.1, reply=550 5.1.1 Nobody here, stat=User unknown'), [
      ['bounced', 'User unknown (550 5.1.1 Nobody here)'],
    ])
    assert.deepEqual(read('dsn=5.1.1, stat=User unknown'), [['bounced', 'User unknown']])
    assert.deepEqual(read('dsn=4.4.0, stat=queued'), [])
  })

  it('reports each recipient of a transaction', () => {
    const line =
      'Dec  1 07:36:14 sendmail[55]: 5B17aE56000054: to=<inbox1@d1.test>,<"inbox2, here"@d1.test>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=150934, relay=mx.d1.test. [172.20.0.9], dsn=4.0.0, stat=Deferred: 403 4.7.0 encryption too weak 0 less than 112'
    const said = { kind: 'deferred', reason: 'Deferred: 403 4.7.0 encryption too weak 0 less than 112' }
    assert.deepEqual(sendmail.read(line), [
      { ...said, recipient: 'inbox1@d1.test' },
      { ...said, recipient: '"inbox2, here"@d1.test' },
    ])
  })

  it('has its version and the version of its TLS library', () => {
    const text = (number: string) =>
      `Version 8.18.1\n       OpenSSL: compiled 0x0\n       OpenSSL: linked   0x${number}\n`
    assert.deepEqual(sendmail.readVersion(text('30500090')), { version: '8.18.1', library: 'OpenSSL 3.5.9' })
    assert.equal(sendmail.readVersion(text('1010117f')).library, 'OpenSSL 1.1.1w')
    assert.throws(() => sendmail.readVersion('sendmail: no'), /no version of Sendmail/)
  })
})
