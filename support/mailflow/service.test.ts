import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { attributesOf } from '../pki/attributes.ts'
import { certificatesIn, pathOf } from '../pki/chain.ts'
import { compared } from '../pki/expected-certificate.ts'
import { Pki } from '../pki/pki.ts'
import { CHANGES, type ChangeName, changed } from './changes.ts'
import { type MailFlow, SERVICE_TEXTS, type ServiceText } from './mail-flow.ts'
import { standardFlow } from './standard-flow.ts'

describe('a mail flow for the mail service', () => {
  const pki = new Pki()
  const network = { resolver: '198.18.0.3:53', partnerPort: 25 }
  const flowAs = (service?: ServiceText): Promise<MailFlow> =>
    standardFlow({ lacks: () => undefined, ...(service ? { service } : {}) }, { pki, network })

  /** In which attributes the certificate differs from a set of the service. */
  const differing = ({ identity, sendersTrust, service }: MailFlow, set: 'published' | 'former') => {
    const shown = certificatesIn(Buffer.from(identity.certificate))
    const { certificates, complete } = pathOf(shown, certificatesIn(Buffer.from(sendersTrust.join(''))))
    const root = complete ? certificates.at(-1) : undefined
    const all = compared(attributesOf(shown[0]!), root, service![set])
    return all.filter(({ same }) => !same).map(({ attribute }) => attribute)
  }

  for (const text of SERVICE_TEXTS)
    it(`has the certificate and the name of its text: ${text}`, async () => {
      const flow = await flowAs(text)
      assert.equal(flow.hostname, 'mail.protection.outlook.com')
      assert.deepEqual(differing(flow, 'published'), [])
      assert.deepEqual(differing(flow, 'former'), ['root', 'unit'])
      const { trust, inbound, outbound } = await flowAs()
      assert.deepEqual([flow.trust, flow.inbound, flow.outbound], [trust, inbound, outbound])
    })

  it('has the versions of its text', async () => {
    const versions = async (text: ServiceText) => {
      const { minVersion, maxVersion } = await flowAs(text)
      return [minVersion, maxVersion]
    }
    assert.deepEqual(await versions('exchange-online-2018'), ['TLSv1', 'TLSv1.2'])
    assert.deepEqual(await versions('exchange-online-2021'), ['TLSv1.2', 'TLSv1.2'])
    assert.deepEqual(await versions('exchange-online-current'), ['TLSv1.2', undefined])
  })

  it('has the certificate before, if it is told so', async () => {
    const former = await changed(
      await flowAs('exchange-online-2021'),
      [CHANGES['still shows the certificate before']],
      pki,
    )
    assert.deepEqual(differing(former, 'former'), [])
    assert.match(new X509Certificate(former.identity.certificate).issuer, /CN=Microsoft IT TLS CA 4/)
  })

  for (const attribute of ['root', 'name', 'organisation', 'unit', 'key'])
    it(`differs in the ${attribute} alone, if it is told so`, async () => {
      const change = CHANGES[`shows a certificate with another ${attribute}` as ChangeName]
      for (const text of SERVICE_TEXTS)
        assert.deepEqual(differing(await changed(await flowAs(text), [change], pki), 'published'), [
          attribute,
        ])
    })

  it('has partners whose roots a gateway can trust without being the service', async () => {
    const { trust } = await changed(await flowAs(), [CHANGES['trusts both roots of the service']], pki)
    const subjects = trust.map(pem => new X509Certificate(pem).subject)
    assert.match(subjects.join('\n'), /CN=Baltimore CyberTrust Root[\s\S]*CN=GlobalSign Root CA$/)
  })

  it('is needed for these changes', async () => {
    const change = CHANGES['still shows the certificate before']
    await assert.rejects(changed(await flowAs(), [change], pki), /stands in for no service/)
  })

  it('has TLS 1.2 alone among the own servers of the service', async () => {
    const { minVersion } = await changed(
      await flowAs('exchange-online-2018'),
      [CHANGES['belongs to a service']],
      pki,
    )
    assert.equal(minVersion, 'TLSv1.2')
  })
})
