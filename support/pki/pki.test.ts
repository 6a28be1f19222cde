import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { type CertificateFlaw, FLAWLESS, FLAWS, withFlaws } from './flaws.ts'
import { type LeafRequest, Pki } from './pki.ts'

describe('the certificates of a run', () => {
  const pki = new Pki()
  const chainOf = (text: string) =>
    (text.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(part => new X509Certificate(part))
  const names = Object.keys(FLAWS) as CertificateFlaw[]
  const issued = async (...flaws: CertificateFlaw[]) => {
    const identity = await pki.issue({
      names: ['d1.verified.test', 'mx.d1.verified.test'],
      usage: 'server',
      flaws,
    })
    return { identity, chain: chainOf(identity.certificate) }
  }

  it('form a chain of leaf, intermediate and root', async () => {
    const { chain } = await issued()
    const root = new X509Certificate(await pki.root())
    assert.equal(chain.length, 2)
    const [leaf, intermediate] = chain
    assert.ok(leaf!.verify(intermediate!.publicKey))
    assert.ok(leaf!.checkIssued(intermediate!))
    assert.ok(intermediate!.verify(root.publicKey))
    assert.ok(intermediate!.ca && root.ca && !leaf!.ca)
    assert.ok(leaf!.checkHost('mx.d1.verified.test'))
    assert.ok(new Date(leaf!.validTo) > new Date())
  })

  it('are made once for each request', async () => {
    assert.equal((await issued()).identity, (await issued()).identity)
  })

  it('can be used by a TLS library, whatever their flaw', async () => {
    for (const flaw of names) {
      const { identity } = await issued(flaw)
      createSecureContext({ key: identity.key, cert: identity.certificate, ciphers: 'DEFAULT:@SECLEVEL=0' })
    }
  })

  const flaws: Record<CertificateFlaw, (chain: X509Certificate[], root: X509Certificate) => boolean> = {
    expired: ([leaf]) => new Date(leaf!.validTo) < new Date(),
    'not yet valid': ([leaf]) => new Date(leaf!.validFrom) > new Date(),
    'for another name': ([leaf]) => !leaf!.checkHost('mx.d1.verified.test'),
    'from an unknown authority': ([, intermediate], root) => !intermediate!.verify(root.publicKey),
    'self-signed': chain => chain.length === 1 && chain[0]!.verify(chain[0]!.publicKey),
    'for the wrong usage': ([leaf]) => !leaf!.keyUsage?.includes('1.3.6.1.5.5.7.3.1'),
    'without its intermediate': chain => chain.length === 1 && !chain[0]!.verify(chain[0]!.publicKey),
    'issued by no authority': ([leaf, issuer]) => leaf!.verify(issuer!.publicKey) && !issuer!.ca,
    'signed with SHA-1': ([leaf]) => leaf!.toLegacyObject().fingerprint !== '' && signedWithSha1(leaf!),
    'with a key of 1024 bits': ([leaf]) => leaf!.publicKey.asymmetricKeyDetails?.modulusLength === 1024,
    'with its name in the common name only': ([leaf]) => leaf!.subjectAltName === undefined,
  }
  // OID 1.2.840.113549.1.1.5, sha1WithRSAEncryption
  const signedWithSha1 = (leaf: X509Certificate) =>
    leaf.raw.includes(Buffer.from('2a864886f70d010105', 'hex'))

  for (const flaw of names)
    it(`have one flaw when asked: ${flaw}`, async () => {
      const root = new X509Certificate(await pki.root())
      assert.ok(flaws[flaw]((await issued(flaw)).chain, root))
      assert.ok(!flaws[flaw]((await issued()).chain, root), 'a good certificate must not have it')
    })

  const several: CertificateFlaw[][] = [
    ['expired', 'for another name'],
    ['signed with SHA-1', 'with a key of 1024 bits'],
    ['not yet valid', 'from an unknown authority', 'for the wrong usage'],
    ['expired', 'with its name in the common name only', 'without its intermediate'],
    ['expired', 'self-signed'],
  ]
  for (const those of several)
    it(`have several flaws when asked: ${those.join(' + ')}`, async () => {
      const root = new X509Certificate(await pki.root())
      const { identity, chain } = await issued(...those)
      for (const flaw of those) assert.ok(flaws[flaw](chain, root), flaw)
      for (const flaw of names.filter(name => !those.includes(name)))
        assert.ok(chain.length === 1 || !flaws[flaw](chain, root), `${flaw} was not asked for`)
      assert.equal((await issued(...those.toReversed())).identity, identity)
    })

  it('cannot have flaws that contradict each other', async () => {
    const request: LeafRequest = { names: ['a.test'], usage: 'server' }
    await assert.rejects(
      pki.issue({ ...request, flaws: ['self-signed', 'issued by no authority'] }),
      /no certificate is self-signed and issued by no authority: both set its issuer/,
    )
    await assert.rejects(
      pki.issue({ ...request, authority: 'new', flaws: ['from an unknown authority'] }),
      /no certificate is of the new authority and from an unknown authority: both set its authority/,
    )
  })

  it('come from four authorities with different roots', async () => {
    const roots = await Promise.all(['root', 'other', 'former', 'new'].map(name => pki.root(name as 'root')))
    assert.equal(new Set(roots).size, 4)
    const { certificate } = await pki.issue({ names: ['a.test'], usage: 'server', authority: 'new' })
    assert.ok(chainOf(certificate)[1]!.verify(new X509Certificate(roots[3]!).publicKey))
  })
})

describe('the specification of a certificate', () => {
  const table: [flaws: CertificateFlaw[], authority: 'new' | undefined, changed: object][] = [
    [[], undefined, {}],
    [[], 'new', { authority: 'new' }],
    [['expired'], undefined, { until: -1 }],
    [['expired', 'expired'], undefined, { until: -1 }],
    [['expired', 'not yet valid'], undefined, { from: 1, until: -1 }],
    [['self-signed', 'for another name'], 'new', { issuer: 'itself', hosts: 'others', authority: 'new' }],
  ]
  for (const [flaws, authority, changed] of table)
    it(`of flaws that add up: ${[...flaws, authority ?? 'root'].join(' + ')}`, () => {
      assert.deepEqual(withFlaws(flaws, authority), { ...FLAWLESS, ...changed })
      assert.deepEqual(withFlaws(flaws.toReversed(), authority), { ...FLAWLESS, ...changed })
    })
})
