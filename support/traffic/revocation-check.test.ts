import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { HttpHost } from '../lab/services/http-host.ts'
import { certificate } from '../pki/certificate.ts'
import { Hierarchy } from '../pki/hierarchies.ts'
import { type AuthorityBehaviour, authorityAnswers } from '../test-bed/fixtures/revocation-host.ts'
import { checkRevocation } from './revocation-check.ts'

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

describe('a check of the status of certificates', () => {
  const host = new HttpHost()
  let hierarchy: Hierarchy
  let foreign: Hierarchy
  let leaf: X509Certificate
  const publicKey = createPublicKey(keys())
  before(async () => {
    await host.listen('127.0.0.1')
    hierarchy = new Hierarchy('2018', { keys, at: place => `http://127.0.0.1:${host.port}/${place}` })
    foreign = new Hierarchy('2018', { keys, at: place => `http://127.0.0.1:${host.port}/${place}` })
    leaf = new X509Certificate(hierarchy.leaf({ publicKey }).certificate)
  })
  after(() => host.close())

  const behave = (behaviour: AuthorityBehaviour) => {
    for (const [url, answer] of authorityAnswers(hierarchy, leaf, behaviour))
      host.serve(new URL(url).pathname, answer)
  }
  const check = async (
    shown: X509Certificate[],
    store = [new X509Certificate(hierarchy.root.certificate)],
  ) => {
    const reports = await checkRevocation(shown, store, { wait: 2_000 })
    return reports.map(({ status, complete, sources }) => {
      const outcomes = sources.map(({ kind, outcome }) => `${kind}: ${outcome}`)
      return { status, complete, outcomes }
    })
  }
  const GOOD_INTERMEDIATE = { status: 'good', complete: true, outcomes: ['list: good', 'issuer: had'] }
  const both = () => [leaf, new X509Certificate(hierarchy.intermediate.certificate)]

  it('asks every address of every certificate below the root', async () => {
    behave({})
    assert.deepEqual(await check(both()), [
      { status: 'good', complete: true, outcomes: ['list: good', 'responder: good', 'issuer: had'] },
      GOOD_INTERMEDIATE,
    ])
  })

  it('fetches an issuer that nobody has shown', async () => {
    behave({})
    assert.deepEqual(
      (await check([leaf])).map(({ status }) => status),
      ['good', 'good'],
    )
    behave({ issuer: null })
    assert.deepEqual(await check([leaf]), [
      {
        status: 'undetermined',
        complete: false,
        outcomes: ['list: not asked', 'responder: not asked', 'issuer: HTTP status'],
      },
    ])
  })

  const html = { body: Buffer.from('<html>blocked</html>') }
  /** The same of the list and of the responder. */
  const ofBoth = <T>(one: T) => ({ list: one, ocsp: one })
  const ofAll = <T>(one: T) => ({ ...ofBoth(one), issuer: one })
  const toListOf = (addresses: { crl: readonly string[] }) => ({
    list: { status: 302, location: new URL(addresses.crl[0]!).pathname },
  })
  /** What comes of each address: the best of those that are left out. */
  interface Outcomes {
    list?: string
    responder?: string
    issuer?: string
  }
  const listAndResponder = (outcome: string): Outcomes => ({ list: outcome, responder: outcome })
  const CASES: [words: string, behaviour: () => AuthorityBehaviour, status: string, outcomes: Outcomes][] = [
    ['a revoked certificate', () => ({ revoked: true }), 'revoked', listAndResponder('revoked')],
    [
      'one that the responder alone knows as revoked',
      () => ({ ocsp: { status: 'revoked' } }),
      'revoked',
      { responder: 'revoked' },
    ],
    [
      'a responder that does not know it',
      () => ({ ocsp: { status: 'unknown' } }),
      'good',
      { responder: 'unknown' },
    ],
    [
      'a responder that wants to be asked later',
      () => ({ ocsp: 'tryLater', list: null }),
      'undetermined',
      { list: 'HTTP status', responder: 'no answer' },
    ],
    [
      'an authority whose list and answer are old',
      () => ofBoth({ from: -9, until: -7 }),
      'undetermined',
      listAndResponder('expired'),
    ],
    [
      'an authority that is ahead of its time',
      () => ofBoth({ from: 1, until: 7 }),
      'undetermined',
      listAndResponder('not yet valid'),
    ],
    [
      'signatures of somebody else',
      () => ofBoth({ signedBy: foreign.root.key }),
      'undetermined',
      listAndResponder('wrong signature'),
    ],
    ['a list of the root', () => ({ list: { issuer: hierarchy.root } }), 'good', { list: 'wrong issuer' }],
    [
      'an issuer that bears the right name only',
      () => ({ issuer: { body: new X509Certificate(foreign.intermediate.certificate).raw } }),
      'good',
      { issuer: 'wrong issuer' },
    ],
    [
      'pages of a proxy',
      () => ofAll(html),
      'undetermined',
      { ...listAndResponder('wrong content'), issuer: 'wrong content' },
    ],
    [
      'hosts that have nothing',
      () => ofAll(null),
      'undetermined',
      { ...listAndResponder('HTTP status'), issuer: 'HTTP status' },
    ],
    [
      'answers that are cut off',
      () => ofAll({ fault: 'cut' }),
      'undetermined',
      { ...listAndResponder('cut off'), issuer: 'cut off' },
    ],
    ['answers that drip', () => ofBoth({ fault: 'drips' }), 'undetermined', listAndResponder('too slow')],
    [
      'answers without an end',
      () => ({ ocsp: { fault: 'endless' }, issuer: { fault: 'endless' } }),
      'good',
      { responder: 'too large', issuer: 'too large' },
    ],
    [
      'hosts that are silent',
      () => ofBoth({ fault: 'silent' }),
      'undetermined',
      listAndResponder('no answer'),
    ],
    ['redirects in a circle', () => toListOf(hierarchy.addresses), 'good', { list: 'redirects' }],
    [
      'a redirect to a file',
      () => ({ list: { status: 302, location: 'file:///etc/passwd' } }),
      'good',
      { list: 'wrong address' },
    ],
    [
      'a redirect to the list of another authority',
      () => toListOf(hierarchy.rootAddresses),
      'good',
      { list: 'wrong issuer' },
    ],
  ]
  for (const [words, behaviour, status, { list = 'good', responder = 'good', issuer = 'had' }] of CASES)
    it(`tells apart ${words}`, async () => {
      behave(behaviour())
      const complete = [list, responder, issuer].every(outcome => /^(good|revoked|had)$/.test(outcome))
      const outcomes = [`list: ${list}`, `responder: ${responder}`, `issuer: ${issuer}`]
      assert.deepEqual(await check(both()), [{ status, complete, outcomes }, GOOD_INTERMEDIATE])
    })

  it('follows a redirect to the right list', async () => {
    for (const [revoked, status] of [
      [false, 'good'],
      [true, 'revoked'],
    ] as const) {
      const [url] = hierarchy.addresses.crl
      host.serve('/moved.crl', authorityAnswers(hierarchy, leaf, { revoked }).get(url!)!)
      // The responder says nothing: what is known comes from the list alone.
      behave({ list: { status: 302, location: '/moved.crl' }, ocsp: null })
      const [report] = await check(both())
      assert.deepEqual([report!.status, report!.outcomes[0]], [status, `list: ${status}`])
    }
  })

  /** The outcome of a certificate that names one address for its list. */
  const outcomeAt = async (address: string, store?: X509Certificate[]) => {
    const made = certificate({
      commonName: 'mx.partner.test',
      publicKey,
      issuer: hierarchy.intermediate,
      role: 'server',
      from: -1,
      until: 1,
      addresses: { crl: [address] },
    })
    const shown = [new X509Certificate(made), new X509Certificate(hierarchy.intermediate.certificate)]
    const [first] = await check(shown, store)
    return first!.outcomes.join()
  }

  it('tells apart a host without a name, one that refuses and one that speaks no HTTP', async () => {
    assert.equal(await outcomeAt('http://crl.partner.invalid/list.crl'), 'list: name resolution')
    assert.equal(await outcomeAt('http://127.0.0.1:1/list.crl'), 'list: refused')
    assert.equal(await outcomeAt('ldap://127.0.0.1/cn=list'), 'list: not asked')
    assert.equal(await outcomeAt('http://127.0.0.1:99999/list.crl'), 'list: wrong address')
  })

  it('says that a connection is filtered where nobody answers it', async () => {
    // Takes no connection, and has room for one that waits. The kernel drops what comes then.
    const script = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(s.address().port)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [port] = (await once(child.stdout, 'data')) as [Buffer]
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, () => outcomeAt(`http://127.0.0.1:${port}/`)),
      )
      assert.ok(outcomes.includes('list: filtered'), outcomes.join())
      assert.ok(outcomes.includes('list: no answer'), outcomes.join())
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('fetches over https from hosts whose certificate leads to the store', async () => {
    const key = keys()
    const own = hierarchy.leaf({
      names: ['127.0.0.1', 'localhost'],
      publicKey: createPublicKey(key),
    }).certificate
    const secure = new HttpHost({
      key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
      certificate: own + hierarchy.intermediate.certificate,
    })
    await secure.listen('127.0.0.1')
    try {
      behave({})
      for (const [url, answer] of authorityAnswers(hierarchy, leaf))
        secure.serve(new URL(url).pathname, answer)
      const { pathname } = new URL(hierarchy.addresses.crl[0]!)
      const address = `https://localhost:${secure.port}${pathname}`
      assert.equal(await outcomeAt(address), 'list: good')
      assert.equal(await outcomeAt(address, [new X509Certificate(foreign.root.certificate)]), 'list: TLS')
      assert.equal(await outcomeAt(`https://127.0.0.1:${host.port}${pathname}`), 'list: TLS')
      assert.equal(secure.requests.length, 1, 'the status of the host itself is not asked for')
    } finally {
      await secure.close()
    }
  })
})
