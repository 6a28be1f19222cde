import assert from 'node:assert/strict'
import type { GatewaySource } from '../gateway/source.ts'
import type { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { samplePki } from '../test-bed/fixtures/sample-flow.ts'
import { type Capability, SECOND_SERVER_KINDS } from './capabilities.ts'
import { decisive, type MailFlow } from './mail-flow.ts'
import { FORCED_LEVELS, secondServerFlow, standardFlow } from './standard-flow.ts'

/** A certificate says whose it is. */
const pki = {
  ...samplePki,
  issue: async ({ authority = 'root' }: { authority?: string }) => ({ key: '<key>', certificate: authority }),
} as unknown as Pki
const network = { resolver: '198.18.0.3:53', partnerPort: 25 }
const flowOf = (...capabilities: Capability[]) => {
  const lacks: GatewaySource['lacks'] = capability =>
    capabilities.includes(capability) ? undefined : 'not built in'
  return standardFlow({ ...reference(), lacks }, { pki, network })
}
const levelFor = ({ outbound }: MailFlow, domain: string) => decisive(outbound, domain)?.tls

describe('the standard mail flow', () => {
  it('has a connector for each level of the product', async () => {
    const flow = await flowOf(...FORCED_LEVELS)
    assert.equal(levelFor(flow, 'd1.opportunistic.test'), 'opportunistic')
    assert.equal(levelFor(flow, 'd1.encrypted.test'), 'encryption-only')
    assert.equal(levelFor(flow, 'd1.trusted.test'), 'certificate-validation')
    assert.equal(levelFor(flow, 'd1.verified.test'), 'domain-validation')
  })

  for (const level of FORCED_LEVELS)
    it(`requires TLS at the level ${level} if that is the only one of the product`, async () => {
      const flow = await flowOf(level)
      for (const domain of ['d1.forced.test', 'd1.both.test', 'parent.test', 'd1.general.test'])
        assert.equal(levelFor(flow, domain), level, domain)
    })

  it('requires TLS at the weakest of several levels', async () => {
    assert.equal(levelFor(await flowOf(...FORCED_LEVELS), 'd1.forced.test'), 'encryption-only')
  })

  it('has a connector that makes TLS optional for some domains of another, and one for one domain alone', async () => {
    const flow = await flowOf('encryption-only')
    assert.equal(levelFor(flow, 'exempt.general.test'), 'opportunistic')
    assert.equal(levelFor(flow, 'd1.exempt.general.test'), 'opportunistic')
    assert.equal(levelFor(flow, 'd1.parent.test'), undefined)
  })

  it('requires nothing of a product without capabilities', async () => {
    const { inbound, outbound } = await flowOf()
    assert.deepEqual(inbound, [])
    assert.deepEqual(outbound, [{ to: '*.opportunistic.test', tls: 'opportunistic' }])
  })

  it('has connectors with a name if the product compares names', async () => {
    const flow = await flowOf('domain-validation', 'tls-domain', 'inbound-required', 'client-certificates')
    const outbound = flow.outbound.flatMap(({ tlsDomain }) => tlsDomain ?? [])
    const inbound = flow.inbound.flatMap(({ clientCertificate }) => clientCertificate ?? [])
    assert.deepEqual(outbound, ['mail.partner.test', '*.partner.test'])
    assert.deepEqual(inbound, ['mail.certified.test', '*.partner.test'])
    assert.equal(decisive(flow.inbound, 'd1.required.test')?.tls, 'required')
  })

  it('has addresses at its own domain', async () => {
    const flow = await flowOf()
    assert.ok(flow.recipient.endsWith(`@${flow.domain}`) && flow.sender.endsWith(`@${flow.domain}`))
    assert.equal(flow.network, network)
  })
})

describe('the mail flow of a second server', () => {
  it('has a domain for each kind, and no connectors', async () => {
    const flow = await flowOf(...FORCED_LEVELS, 'inbound-required')
    const flows = await Promise.all(
      SECOND_SERVER_KINDS.map(kind => secondServerFlow(flow, { kind, number: 1 }, pki)),
    )
    assert.equal(new Set(flows.map(({ domain }) => domain)).size, SECOND_SERVER_KINDS.length)
    for (const { domain, hostname, recipient, inbound, outbound } of flows) {
      assert.deepEqual([hostname, recipient], [`mx.${domain}`, `inbox@${domain}`])
      assert.deepEqual([inbound, outbound], [[], []])
      // For a gateway as it is, no connector covers it.
      assert.equal(decisive(flow.outbound, domain), undefined)
    }
  })
})
