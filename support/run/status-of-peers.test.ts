import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { SERVICE_TEXTS } from '../mailflow/mail-flow.ts'
import { roleOf } from '../mailflow/service.ts'
import { Pki } from '../pki/pki.ts'
import { lookupAt } from '../reference/resolver.ts'
import { checkRevocation } from '../traffic/revocation-check.ts'
import { tellStatusOfPeers } from './status-of-peers.ts'

describe('the status of the certificates of partners that play the service', () => {
  const pki = new Pki()
  let lab: LoopbackLab
  before(async () => {
    lab = new LoopbackLab(pki)
    await lab.start()
  })
  after(() => lab.stop())

  const HOSTS: Record<(typeof SERVICE_TEXTS)[number], string[]> = {
    'exchange-online-2018': ['crl.globalsign.test', 'ocsp.globalsign.test', 'secure.globalsign.test'],
    'exchange-online-2021': ['crl.globalsign.test', 'ocsp.globalsign.test', 'secure.globalsign.test'],
    'exchange-online-current': ['cacerts.digicert.test', 'crl3.digicert.test', 'ocsp.digicert.test'],
  }
  for (const text of SERVICE_TEXTS)
    it(`can be had at the hosts of the text: ${text}`, async () => {
      pki.peersPlay = { ...roleOf(text), suites: [] }
      await tellStatusOfPeers({ pki, lab })
      const domains = ['one', 'two'].map(name => `${name}.${text}.test`)
      await lab.partners(domains.map(domain => ({ domain })))
      const root = new X509Certificate(await pki.root())
      for (const domain of domains) {
        const { certificate } = await pki.issue({
          names: [domain, `mx.${domain}`],
          usage: 'server',
          ofPeer: true,
          kind: { key: 'RSA 2048' },
        })
        const chain = certificate.split(/(?=-----BEGIN)/).map(pem => new X509Certificate(pem))
        const lookup = lookupAt(`127.0.0.1:${lab.dnsPort}`)
        const all = await checkRevocation(chain, [root], { lookup })
        const told = all.flatMap(({ sources }) => sources)
        assert.deepEqual(
          all.slice(0, 2).map(({ status }) => status),
          ['good', 'good'],
        )
        assert.deepEqual(new Set(told.map(({ outcome }) => outcome)), new Set(['good', 'had']))
        const hosts = told.flatMap(({ address }) => (address ? [new URL(address).hostname] : []))
        assert.deepEqual([...new Set(hosts)].toSorted(), HOSTS[text])
      }
    })
})
