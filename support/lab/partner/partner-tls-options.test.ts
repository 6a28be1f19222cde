import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { Pki } from '../../pki/pki.ts'
import { Recorder } from '../../wire/recorder.ts'
import { type ClientTls, SmtpClient, WireError } from '../../wire/smtp/smtp.ts'
import { opensslName } from '../../wire/tls/tls-names.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type { PartnerTls } from './behaviour.ts'
import { hostTls } from './partner-tls-options.ts'

interface Seen {
  /** `well`, or how the handshake ended. */
  end: string
  version: string | undefined
  suite: string | undefined
  group: string | undefined
  names: string[] | undefined
  chainError: string | undefined
  addresses: string | undefined
  /** Something came about the status of the certificate. */
  stapled: boolean
  /** The partner asked for a certificate (seen with TLS 1.2 only). */
  asked: boolean
  /** Name in the certificate that the partner got to see. */
  shown: string | undefined
  /** With what the session can be resumed. */
  session: Buffer | undefined
  /** It was, or the next one, where it was the first. */
  resumed: boolean
}
interface Case {
  tls: PartnerTls
  /** What is compared with; by default a partner without any of this. */
  control?: PartnerTls
  client?: ClientTls
  shows: Partial<Seen>
}

const AES128 = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
const AES256 = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'

describe('the TLS of a partner', () => {
  const lab = new LoopbackLab(new Pki())
  let trust: string[]
  let identity: { key: string; certificate: string }
  before(async () => {
    await lab.start()
    trust = [await lab.pki.root()]
    identity = await lab.pki.issue({ names: ['gateway.test'], usage: 'client' })
  })
  after(() => lab.stop())

  async function seen(tls: PartnerTls, options: ClientTls): Promise<Seen> {
    const first = await seenOnce(tls, options)
    const { session } = first
    const again = tls.resumes && session && !options.session
    return again ? { ...first, resumed: (await seenOnce(tls, { ...options, session })).resumed } : first
  }

  async function seenOnce(tls: PartnerTls, options: ClientTls): Promise<Seen> {
    const partner = await lab.partner({ domain: 'd1.test', hosts: [{ tls }] })
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: 'mx.d1.test' })
    const client = await SmtpClient.connect({ host: partner.hosts[0]!.address, port: lab.port }, recorder)
    await client.reply()
    await client.command('STARTTLS')
    const end = await client
      .startTls({ trust, ...options })
      .then(() => client.command('EHLO probe'))
      .then(
        () => 'well',
        error => (error instanceof WireError ? error.breakdown : String(error)),
      )
    const { handshake } = recorder.conversation
    const result = {
      end,
      version: handshake?.version,
      suite: handshake?.suite,
      group: handshake?.group,
      names: handshake?.serverCertificate?.names,
      chainError: client.chainError,
      addresses: recorder.certificate?.infoAccess?.trim(),
      stapled: client.status !== undefined,
      asked: handshake?.clientCertificateRequested ?? false,
      shown: partner.conversations[0]?.handshake?.clientCertificate?.names[0],
      session: client.session,
      resumed: client.resumed,
    }
    client.close()
    assert.equal(partner.conversations[0]?.labError, undefined)
    // OpenSSL's number of the thread would make every verdict another one.
    assert.doesNotMatch(partner.conversations[0]?.handshake?.error ?? '', /:error:/)
    return result
  }

  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  const prefersAes256 = {
    maxVersion: 'TLSv1.2',
    ciphers: [AES256, AES128].map(opensslName).join(':'),
  } as const
  const cases: { [K in keyof Required<PartnerTls>]: Case } & Record<string, Case> = {
    presents: { tls: { presents: ['expired'] }, shows: { end: 'well', chainError: 'CERT_HAS_EXPIRED' } },
    addresses: {
      tls: { addresses: { ocsp: ['http://ocsp.d1.test/'] } },
      shows: { addresses: 'OCSP - URI:http://ocsp.d1.test/' },
    },
    staples: {
      tls: { staples: 'that its certificate is good' },
      client: { asksForStatus: true },
      shows: { end: 'well', stapled: true },
    },
    kind: { tls: { kind: { hosts: 'in capitals' } }, shows: { names: ['D1.TEST', 'MX.D1.TEST'] } },
    names: { tls: { names: ['other.test'] }, shows: { names: ['other.test'] } },
    ofService: {
      tls: { ofService: 'after' },
      shows: { names: ['d1.test', 'mx.d1.test'], chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    authority: {
      tls: { authority: 'other' },
      shows: { names: ['d1.test', 'mx.d1.test'], chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' },
    },
    minVersion: {
      tls: { minVersion: 'TLSv1.3' },
      client: { maxVersion: 'TLSv1.2' },
      shows: { end: 'handshake failure' },
    },
    maxVersion: { tls: { maxVersion: 'TLSv1.2' }, shows: { end: 'well', version: 'TLSv1.2' } },
    'minVersion and maxVersion': {
      tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1' },
      client: old,
      shows: { end: 'well', version: 'TLSv1' },
    },
    suites: {
      tls: { suites: [AES256], maxVersion: 'TLSv1.2' },
      control: { suites: [AES128], maxVersion: 'TLSv1.2' },
      shows: { end: 'well', suite: AES256 },
    },
    'suites with a finite field': {
      tls: { suites: ['TLS_DHE_RSA_WITH_AES_256_GCM_SHA384'], maxVersion: 'TLSv1.2' },
      client: { ciphers: 'DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384' },
      shows: { end: 'well', suite: 'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384' },
    },
    groups: { tls: { groups: ['P-384'] }, shows: { end: 'well', group: 'P-384' } },
    followsSender: {
      tls: { suites: [AES128, AES256], followsSender: true },
      control: { suites: [AES128, AES256] },
      client: prefersAes256,
      shows: { end: 'well', suite: AES256 },
    },
    resumes: { tls: { resumes: 'with the same keys' }, shows: { resumed: true } },
    clientCertificate: {
      tls: { clientCertificate: 'asks', maxVersion: 'TLSv1.2' },
      client: { maxVersion: 'TLSv1.2' },
      shows: { end: 'well', asked: true },
    },
    'clientCertificate, required and not shown': {
      tls: { clientCertificate: 'requires' },
      shows: { end: 'handshake failure' },
    },
    'clientCertificate, required and not shown, TLS 1.2': {
      tls: { clientCertificate: 'requires', maxVersion: 'TLSv1.2' },
      shows: { end: 'handshake failure' },
    },
  }

  for (const [what, { tls, control = {}, client = {}, shows }] of Object.entries(cases))
    it(`is changed by ${what}`, async () => {
      assert.partialDeepStrictEqual(await seen(tls, client), shows)
      const without = await seen(control, client)
      assert.throws(() => assert.partialDeepStrictEqual(without, shows), 'it shows without being told')
    })

  it('is good if the behaviour says nothing about it', async () => {
    const { end, names, chainError, version } = await seen({}, {})
    assert.deepEqual(
      { end, names, chainError, version },
      {
        end: 'well',
        names: ['d1.test', 'mx.d1.test'],
        chainError: undefined,
        version: 'TLSv1.3',
      },
    )
  })

  it('has a certificate for another name beside one with a wrong name', async () => {
    const tls = { presents: ['for * as the whole name', 'expired'] } as const
    const shown = await hostTls(lab.pki, ['d1.test'], tls, { certificateChoice: 'by server name' })
    const [own, other] = [shown.byName!.cert, shown.cert].map(pem => new X509Certificate(String(pem)))
    assert.deepEqual([own!.subjectAltName, other!.subjectAltName], ['DNS:*', 'DNS:other-d1.test'])
    assert.equal(own!.validTo, other!.validTo)
  })

  it('resumes no session if it has new keys for tickets', async () => {
    assert.equal((await seen({ resumes: 'with new keys' }, {})).resumed, true)
    const { session } = await seen({ resumes: 'with the same keys' }, {})
    assert.ok(session)
    assert.equal((await seen({ resumes: 'with the same keys' }, { session })).resumed, true)
    assert.equal((await seen({ resumes: 'with new keys' }, { session })).resumed, false)
  })

  for (const clientCertificate of ['asks', 'requires'] as const)
    it(`accepts a good client certificate if it ${clientCertificate}`, async () => {
      const { end, shown } = await seen({ clientCertificate }, { identity })
      assert.deepEqual([end, shown], ['well', 'gateway.test'])
      assert.equal((await seen({}, { identity })).shown, undefined)
    })
})
