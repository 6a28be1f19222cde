import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow } from '../../support/mailflow/mail-flow.ts'
import { sameAsSamples, sampleFlow, samplePki } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { courier } from './adapter.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const flow = () => sampleFlow(container(courier))
const file = (from: MailFlow, path: string) =>
  courier.render(from, place).files.find(one => one.path === `/etc/courier/${path}`)

describe('Courier: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(courier.render(await flow(), place).files, here('samples/standard-flow'))
  })

  it('puts the most specific connector first', async () => {
    const connectors: MailFlow['outbound'] = ['*.b.test', '*.a.b.test', 'b.test', 'c.test'].map(to => ({
      to,
      tls: to === 'c.test' ? 'opportunistic' : 'encryption-only',
    }))
    assert.equal(
      file({ ...(await flow()), outbound: connectors }, 'esmtproutes')!.content,
      'b.test: /SECURITY=REQUIRED\nc.test:\n.a.b.test: /SECURITY=REQUIRED\n.b.test: /SECURITY=REQUIRED\n',
    )
  })

  it('gives a reason why it verifies no certificate, and refuses a flow that needs it', async () => {
    const source = container(courier)
    assert.match(source.lacks('domain-validation')!, /of all partners or of none/)
    assert.equal(source.lacks('encryption-only'), undefined)
    const outbound: MailFlow['outbound'] = [{ to: 'a.test', tls: 'domain-validation' }]
    const verified = { ...(await flow()), outbound }
    assert.throws(() => courier.render(verified, place), /cannot verify/)
  })

  it('requires TLS of every client if the flow does, but never for submission', async () => {
    const everybody = await changed(await flow(), [CHANGES['requires TLS of every client']], samplePki)
    assert.match(file(everybody, 'esmtpd')!.content, /^ESMTP_TLS_REQUIRED=1$/m)
    assert.match(file(await flow(), 'esmtpd')!.content, /^ESMTP_TLS_REQUIRED=0$/m)
    assert.match(file(everybody, 'esmtpd-msa')!.content, /^ESMTP_TLS_REQUIRED=0$/m)
  })

  it('has no certificate file if the certificate is lost', async () => {
    const lost = await changed(await flow(), [CHANGES['has lost its certificate']], samplePki)
    assert.equal(file(lost, 'tls/identity.pem'), undefined)
    assert.equal(file(await flow(), 'tls/identity.pem')!.mode, '0600')
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(courier.deviations!).length > 0)
  })
})

for (const [version, domains] of Object.entries({
  '1.4.1': {
    forced: 'd1-7a69.forced.test',
    next: 'd11-e9d6.forced.test',
    plain: 'd15-09e2.forced.test',
    remembered: 'd42-ceb5.forced.test',
    again: 'd106-4f66.opportunistic.test',
    many: ['d117-e13e.opportunistic.test', 'd118-fd4d.opportunistic.test', 'd119-ca8d.forced.test'],
  },
  '1.0.16': {
    forced: 'd1-2ed1.forced.test',
    next: 'd13-b9d0.forced.test',
    plain: 'd15-40dd.forced.test',
    remembered: 'd50-16eb.forced.test',
    again: 'd113-cfd7.opportunistic.test',
    many: ['d122-ae9b.opportunistic.test', 'd123-985e.opportunistic.test', 'd124-70fa.forced.test'],
  },
}))
  describe(`Courier: the log of ${version}`, () => {
    const text = readFileSync(here(`samples/courier-${version}.log`), 'utf8')
    const lines = text.split('\n')
    const said = (domain: string) =>
      lines
        .flatMap(line => courier.read(line) ?? [])
        .filter(({ recipient }) => recipient.endsWith(`@${domain}`))
    const kinds = (domain: string) => said(domain).map(({ kind }) => kind)

    it('says what became of a message, and why', () => {
      assert.deepEqual(kinds(domains.forced), ['delivered'])
      assert.match(said(domains.forced)[0]!.reason, /^delivered: mx\.d1-/)
      assert.deepEqual(kinds(domains.plain), ['bounced'])
      assert.match(said(domains.plain)[0]!.reason, /^\/SECURITY=REQUIRED set, but TLS is not available$/)
    })

    it('reports an attempt once, after the last mail exchanger', () => {
      assert.deepEqual(kinds(domains.next), ['delivered'])
      assert.match(said(domains.next)[0]!.reason, /^delivered: mx2\./)
    })

    it('reports each attempt', () => {
      assert.deepEqual(kinds(domains.again), ['deferred', 'delivered'])
      assert.match(said(domains.again)[0]!.reason, /^400 Handshake failed$/)
      assert.deepEqual(kinds(domains.remembered), ['deferred', 'bounced'])
    })

    it('reports each recipient of a message', () => {
      for (const domain of domains.many) assert.deepEqual(kinds(domain), ['delivered'])
    })

    it('has the lines that attempts.awk makes from the other lines', () => {
      const input = lines.filter(line => !line.startsWith('attempt:')).join('\n')
      assert.equal(execFileSync('awk', ['-f', here('attempts.awk')], { input, encoding: 'utf8' }), text)
    })

    it('says nothing about the TLS of sessions', () => {
      assert.ok(lines.some(line => line.includes('STARTTLS failed')))
      assert.deepEqual(lines.map(courier.session).filter(Boolean), [])
    })

    it('says once that Courier is ready', () => {
      assert.equal(lines.filter(line => courier.ready.test(line)).length, 1)
    })
  })

describe('Courier: the lines of attempts.awk', () => {
  const attempts = (...said: string[]) => {
    const about = 'courieresmtp: id=0A.1,from=<a@b.test>,addr=<c@d.test>'
    const input = [...said.map(text => about + text), 'courierd: completed,id=0A.1', ''].join('\n')
    const output = execFileSync('awk', ['-f', here('attempts.awk')], { input, encoding: 'utf8' })
    return output.split('\n').flatMap(line => courier.read(line) ?? [])
  }

  it('report a failure rather than a deferral, and a success rather than both', () => {
    const deferred = [': 400 Later', ',status: deferred']
    const failure = [': 550-Never', ': 550 Ever', ',status: failure']
    const success = [',success: delivered: e', ',status: success']
    const [event] = attempts(...failure, ...deferred)
    assert.deepEqual(event, { kind: 'bounced', recipient: 'c@d.test', reason: '550 Ever' })
    assert.equal(attempts(...deferred, ...failure)[0]!.kind, 'bounced')
    assert.equal(attempts(...failure, ...deferred, ...success)[0]!.kind, 'delivered')
  })
})

describe('Courier: its version', () => {
  it('is read with the version of its TLS library', () => {
    assert.deepEqual(
      courier.readVersion(
        'courier-mta\t1.4.1-3+deb13u2\nlibgnutls30\t\nlibgnutls30t64:amd64\t3.8.9-3+deb13u4\n',
      ),
      { version: '1.4.1', library: 'GnuTLS 3.8.9' },
    )
    assert.deepEqual(courier.readVersion('courier-mta\t1.0.16-3\nlibgnutls30:amd64\t3.7.1-5+deb11u10\n'), {
      version: '1.0.16',
      library: 'GnuTLS 3.7.1',
    })
    assert.throws(() => courier.readVersion('dpkg-query: no packages'), /no version of Courier/)
  })
})
