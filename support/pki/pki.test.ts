import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import {
  type CertificateFlaw,
  type CertificateKind,
  FLAWLESS,
  FLAWS,
  type KeyName,
  withFlaws,
} from './flaws.ts'
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
    // OID 2.5.29.35: RFC 5280 s4.2.1.1 demands that they name their issuer's key.
    const namesIssuersKey = [leaf, intermediate, root].map(one =>
      one!.raw.includes(Buffer.from('0603551d23', 'hex')),
    )
    assert.deepEqual(namesIssuersKey, [true, true, false])
  })

  it('are made once for each request', async () => {
    assert.equal((await issued()).identity, (await issued()).identity)
  })

  it('have the names of the service where partners and clients play it, and lead to the same root', async () => {
    const playing = new Pki()
    const names = ['d1.verified.test']
    const own = await playing.issue({ names, usage: 'server' })
    playing.peersPlay = {
      ...{ hierarchy: '2018', names: ['mail.protection.outlook.com'], suites: [], minVersion: 'TLSv1.2' },
    }
    const root = new X509Certificate(await playing.root())
    const [leaf, intermediate, top] = chainOf(
      (await playing.issue({ names, usage: 'server', ofPeer: true })).certificate,
    )
    assert.equal(leaf!.subject, 'C=US\nO=Microsoft Corporation\nCN=mail.protection.outlook.com')
    assert.equal(leaf!.subjectAltName, 'DNS:d1.verified.test, DNS:mail.protection.outlook.com')
    assert.match(leaf!.infoAccess!, /OCSP - URI:http:\/\/ocsp\.globalsign\.test/)
    assert.match(top!.subject, /O=GlobalSign nv-sa/)
    assert.ok(leaf!.verify(intermediate!.publicKey) && leaf!.checkIssued(intermediate!))
    assert.ok(intermediate!.verify(top!.publicKey) && intermediate!.checkIssued(top!))
    assert.ok(top!.verify(root.publicKey) && top!.checkIssued(root))
    // The gateway's own certificate is as it was.
    assert.equal((await playing.issue({ names, usage: 'server' })).certificate, own.certificate)
  })

  it('are made anew minutes from one of their dates, which may have passed since', async () => {
    const flaws = ['a few minutes before its end'] as const
    assert.notEqual((await issued(...flaws)).identity, (await issued(...flaws)).identity)
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
    'issued by a server instead of an authority': ([leaf, issuer]) =>
      leaf!.verify(issuer!.publicKey) && !issuer!.ca,
    'signed with SHA-1': ([leaf]) => leaf!.toLegacyObject().fingerprint !== '' && signedWithSha1(leaf!),
    'with a key of 1024 bits': ([leaf]) => leaf!.publicKey.asymmetricKeyDetails?.modulusLength === 1024,
    'with the right name only as common name': ([leaf]) => leaf!.subjectAltName === undefined,
    'for another name, with the right name as common name': ([leaf]) =>
      leaf!.subject === 'CN=d1.verified.test' && leaf!.subjectAltName!.includes('other-d1.verified.test'),
    'for a wildcard that would have to cover several labels': ([leaf]) =>
      leaf!.subjectAltName === 'DNS:*.test',
    'for a wildcard that is only a part of a label': ([leaf]) =>
      leaf!.subjectAltName === 'DNS:*1.verified.test, DNS:*x.d1.verified.test',
    'for a wildcard in the second label': ([leaf]) =>
      leaf!.subjectAltName === 'DNS:d1.*.test, DNS:mx.*.verified.test',
    'for a wildcard in each of the first two labels': ([leaf]) =>
      leaf!.subjectAltName === 'DNS:*.*.test, DNS:*.*.verified.test',
    'for * as the whole name': ([leaf]) => leaf!.subjectAltName === 'DNS:*',
    'for the right name with a NUL byte and more behind it': ([leaf]) =>
      leaf!.raw.includes('d1.verified.test\0.other.test') && !leaf!.checkHost('d1.verified.test'),
    'for a name that looks like the right one': ([leaf]) =>
      leaf!.subjectAltName === 'DNS:d1.xn--vrified-t8a.test, DNS:mx.d1.xn--vrified-t8a.test',
    'with the right name only in an e-mail address': ([leaf]) =>
      leaf!.subjectAltName?.startsWith('email:postmaster@d1.verified.test') === true,
    'with an IP address in place of a name': ([leaf]) => leaf!.subjectAltName === 'IP Address:192.0.2.1',
    'with another common name beside the right name': ([leaf]) =>
      leaf!.subject === 'CN=other-d1.verified.test' && leaf!.checkHost('d1.verified.test') !== undefined,
    // The extension is critical: RFC 5280 s4.1.2.6.
    'without a subject': ([leaf]) =>
      !leaf!.subject && leaf!.raw.includes(Buffer.from('0603551d110101ff', 'hex')),
    'a few minutes past its end': ([leaf]) => isMinutesAgo(leaf!.validToDate),
    'a few minutes before its beginning': ([leaf]) => isInMinutes(leaf!.validFromDate),
    'a few minutes before its end': ([leaf]) => isInMinutes(leaf!.validToDate),
    'a few minutes past its beginning': ([leaf]) => isMinutesAgo(leaf!.validFromDate),
    'issued by an intermediate a few minutes past its end': ([, one]) => isMinutesAgo(one!.validToDate),
    'issued by an intermediate a few minutes before its beginning': ([, one]) =>
      isInMinutes(one!.validFromDate),
    'issued by an intermediate a few minutes before its end': ([, one]) => isInMinutes(one!.validToDate),
    'issued by an intermediate a few minutes past its beginning': ([, one]) =>
      isMinutesAgo(one!.validFromDate),
    'with the right name only in a URI': ([leaf]) =>
      leaf!.subjectAltName?.startsWith('URI:smtp://d1.verified.test') === true,
    'with a signature that does not fit': ([leaf, issuer]) =>
      leaf!.checkIssued(issuer!) && !leaf!.verify(issuer!.publicKey),
    'issued by somebody with the name of the intermediate': ([leaf, issuer], root) =>
      leaf!.issuer === issuer!.subject && !leaf!.checkIssued(issuer!) && issuer!.verify(root.publicKey),
    'issued by an intermediate that has expired': ([, issuer]) => issuer!.validToDate < new Date(),
    'issued by an intermediate that is not yet valid': ([, issuer]) => issuer!.validFromDate > new Date(),
    'issued by an intermediate that is signed with SHA-1': ([, issuer]) => signedWithSha1(issuer!),
    // The one bit of the key usage is cRLSign: RFC 5280 s4.2.1.3.
    'issued by an intermediate that may not sign certificates': ([, issuer]) =>
      issuer!.raw.includes(Buffer.from('0603551d0f0101ff040403020102', 'hex')),
    // The path length of the last one is zero: RFC 5280 s4.2.1.9.
    'issued by one intermediate too many': ([leaf, first, last]) =>
      last?.raw.includes(Buffer.from('0603551d130101ff040830060101ff020100', 'hex')) === true &&
      leaf!.verify(first!.publicKey) &&
      first!.verify(last.publicKey),
    'issued by an intermediate for other domains only': ([, issuer]) =>
      issuer!.raw.includes(Buffer.from('0603551d1e', 'hex')) && issuer!.raw.includes('other.test'),
  }
  const isInMinutes = (date: Date) => date.getTime() > Date.now() && date.getTime() < Date.now() + 600_000
  const isMinutesAgo = (date: Date) => date.getTime() < Date.now() && date.getTime() > Date.now() - 600_000
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
    ['expired', 'with the right name only as common name', 'without its intermediate'],
    ['expired', 'self-signed'],
    ['expired', 'issued by an intermediate that has expired'],
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

  const kinds: Record<KeyName, [type: string, detail: unknown]> = {
    'RSA 1024': ['rsa', 1024],
    'RSA 2048': ['rsa', 2048],
    'RSA 3072': ['rsa', 3072],
    'RSA 4096': ['rsa', 4096],
    'ECDSA P-256': ['ec', 'prime256v1'],
    'ECDSA P-384': ['ec', 'secp384r1'],
    Ed25519: ['ed25519', undefined],
  }
  for (const [key, shows] of Object.entries(kinds) as [KeyName, unknown[]][])
    it(`have a key of their kind, and their flaws with it: ${key}`, async () => {
      for (const flaw of [undefined, 'expired', 'self-signed', 'signed with SHA-1'] as const) {
        const identity = await pki.issue({
          names: ['mx.d1.verified.test'],
          usage: 'server',
          flaws: flaw ? [flaw] : [],
          kind: { key },
        })
        const chain = chainOf(identity.certificate)
        const [leaf] = chain
        const { asymmetricKeyType: type, asymmetricKeyDetails: details } = leaf!.publicKey
        assert.deepEqual([type, details?.modulusLength ?? details?.namedCurve], shows)
        assert.ok(leaf!.checkPrivateKey(createPrivateKey(identity.key)))
        assert.ok(flaw === 'self-signed' || leaf!.verify(chain[1]!.publicKey))
        if (flaw) assert.ok(flaws[flaw](chain, new X509Certificate(await pki.root())), flaw)
        const { ciphers } = { ciphers: 'DEFAULT:@SECLEVEL=0' }
        createSecureContext({ key: identity.key, cert: identity.certificate, ciphers })
      }
    })

  it('have a flaw rather than a kind where both are about the same thing', async () => {
    const request: LeafRequest = { names: ['a.test'], usage: 'server' }
    const key = await pki.issue({
      ...request,
      flaws: ['with a key of 1024 bits'],
      kind: { key: 'Ed25519' },
    })
    const [leaf] = chainOf(key.certificate)
    assert.equal(leaf!.publicKey.asymmetricKeyDetails?.modulusLength, 1024)
    const alone = await pki.issue({
      ...request,
      flaws: ['without its intermediate'],
      kind: { chain: 'with its root' },
    })
    assert.equal(chainOf(alone.certificate).length, 1)
    // There is no such signature of an Ed25519 key.
    const sha1 = await pki.issue({
      ...request,
      flaws: ['signed with SHA-1', 'self-signed'],
      kind: { key: 'Ed25519' },
    })
    assert.ok(signedWithSha1(chainOf(sha1.certificate)[0]!))
  })

  it('come with more than their intermediate when asked', async () => {
    const chain = async (chain: CertificateKind['chain']) => {
      const kind = chain ? { chain } : {}
      const { certificate } = await pki.issue({ names: ['a.test'], usage: 'server', kind })
      return chainOf(certificate)
    }
    const root = new X509Certificate(await pki.root())
    const [, , sent] = await chain('with its root')
    assert.equal(sent!.fingerprint256, root.fingerprint256)
    const [, intermediate, cross, top] = await chain('with its root as an expired authority signed it')
    assert.ok(intermediate!.verify(cross!.publicKey) && intermediate!.verify(root.publicKey))
    assert.ok(cross!.verify(top!.publicKey) && cross!.subject === root.subject)
    assert.ok(new Date(cross!.validTo) > new Date() && new Date(top!.validTo) < new Date())
    const [, , foreign] = await chain('with a certificate of another chain')
    assert.ok(foreign!.verify(new X509Certificate(await pki.root('other')).publicKey))
  })

  it('cannot have flaws that contradict each other', async () => {
    const request: LeafRequest = { names: ['a.test'], usage: 'server' }
    await assert.rejects(
      pki.issue({ ...request, flaws: ['self-signed', 'issued by a server instead of an authority'] }),
      /no certificate is self-signed and issued by a server instead of an authority: both set its issuer/,
    )
    await assert.rejects(
      pki.issue({ ...request, authority: 'new', flaws: ['from an unknown authority'] }),
      /no certificate is of the new authority and from an unknown authority: both set its authority/,
    )
  })

  it('come from authorities with different roots', async () => {
    const roots = await Promise.all(['root', 'other', 'former', 'new'].map(name => pki.root(name as 'root')))
    assert.equal(new Set(roots).size, 4)
    const { certificate } = await pki.issue({ names: ['a.test'], usage: 'server', authority: 'new' })
    assert.ok(chainOf(certificate)[1]!.verify(new X509Certificate(roots[3]!).publicKey))
    const [former, namesake] = [roots[2]!, await pki.root('namesake of former')].map(
      pem => new X509Certificate(pem),
    )
    assert.equal(namesake!.subject, former!.subject)
    assert.ok(!namesake!.verify(former!.publicKey))
    assert.ok(signedWithSha1(former!) && !signedWithSha1(namesake!))
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
