import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate } from './certificate.ts'
import { elementAt, elementsIn, TAGS } from './der.ts'
import { Hierarchy } from './hierarchies.ts'
import { NoStatus, statusInAnswer, statusInList } from './read-crl-and-ocsp.ts'
import { ocspAnswer, ocspRefusal, ocspRequest, revocationList } from './write-crl-and-ocsp.ts'

const KEYS: Record<string, () => KeyObject> = {
  'RSA 2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'ECDSA P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'ECDSA P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  Ed25519: () => generateKeyPairSync('ed25519').privateKey,
}

const hierarchy = new Hierarchy('2018', { keys: KEYS['ECDSA P-256']! })
const foreign = new Hierarchy('2018', { keys: KEYS['ECDSA P-256']! })
const publicKey = createPublicKey(KEYS['ECDSA P-256']!())
const { intermediate: issuer } = hierarchy
const leaf = new X509Certificate(hierarchy.leaf({ publicKey }).certificate)
const serial = leaf.serialNumber
const subject = { certificate: leaf, issuer: new X509Certificate(issuer.certificate), now: Date.now() }
const inside = new X509Certificate(issuer.certificate)

/** What came of it: the status, or the fault. */
const outcome = (work: Promise<{ status: string }>): Promise<string> =>
  work.then(
    ({ status }) => status,
    error => {
      assert.ok(error instanceof NoStatus, `${error}`)
      return error.fault
    },
  )

/** RFC 7468 s7. */
const pem = (list: Buffer): string =>
  `-----BEGIN X509 CRL-----\n${list.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n`

const responder = (role: 'responder' | 'server', until = 30, by = issuer) => {
  const key = KEYS['ECDSA P-256']!()
  const commonName = 'GlobalSign OCSP responder'
  const made = certificate({
    commonName,
    publicKey: createPublicKey(key),
    issuer: by,
    role,
    from: -60,
    until,
  })
  return { commonName, key, certificate: made }
}

/** An answer with a certificate whose serial number begins with two bytes of zero: X.690 s8.3.2 forbids it. */
function unreadable(): Buffer {
  const answer = ocspAnswer({ issuer, serial, status: 'good', responder: responder('responder') })
  const version = Buffer.from('a003020102', 'hex')
  const number = answer.lastIndexOf(version) + version.length
  answer.fill(0, number + 2, number + 4)
  return answer
}

type Case = [
  words: string,
  der: () => Buffer,
  expected: string,
  openssl: 'good' | 'revoked' | 'no' | 'differs',
]

/**
 * The last column: what `openssl verify -crl_check` says. OpenSSL 3.0 also looks into lists that have expired or that have
 * changes alone.
 */
const LISTS: Case[] = [
  ['a list without it', () => revocationList({ issuer }), 'good', 'good'],
  ['a list with it', () => revocationList({ issuer, revoked: ['7F01', serial] }), 'revoked', 'revoked'],
  [
    'a list with longer and shorter numbers',
    () => revocationList({ issuer, revoked: [`${serial}00`, serial.slice(2), 'FF'] }),
    'good',
    'good',
  ],
  ['a list from last week', () => revocationList({ issuer, from: -9, until: -7 }), 'expired', 'no'],
  [
    'a list with it from last week',
    () => revocationList({ issuer, revoked: [serial], from: -9, until: -7 }),
    'expired',
    'differs',
  ],
  ['a list of tomorrow', () => revocationList({ issuer, from: 1, until: 2 }), 'not yet valid', 'no'],
  [
    'a list of another authority with the same name',
    () => revocationList({ issuer: foreign.intermediate }),
    'wrong signature',
    'no',
  ],
  ['a list of the root', () => revocationList({ issuer: hierarchy.root }), 'wrong issuer', 'no'],
  [
    'a list that another key signed',
    () => revocationList({ issuer, signedBy: foreign.root.key }),
    'wrong signature',
    'no',
  ],
  ['a list with changes alone', () => revocationList({ issuer, deltaOf: 7 }), 'wrong content', 'differs'],
  [
    'a list about authorities alone',
    () => revocationList({ issuer, onlyAuthorities: true }),
    'wrong certificate',
    'no',
  ],
  // OpenSSL reads it where it has been stored; RFC 5280 s4.2.1.13 has clients fetch DER.
  ['a list in PEM', () => Buffer.from(pem(revocationList({ issuer }))), 'wrong content', 'differs'],
  ['a list that ends too early', () => revocationList({ issuer }).subarray(0, -9), 'wrong content', 'no'],
  [
    'a list with something behind it',
    () => Buffer.concat([revocationList({ issuer }), Buffer.from('x')]),
    'wrong content',
    'differs',
  ],
  ['a list that ends nowhere', () => Buffer.from('3080300030000000', 'hex'), 'wrong content', 'no'],
  ['a page of a proxy', () => Buffer.from('<!DOCTYPE html><title>Blocked</title>'), 'wrong content', 'no'],
  ['a certificate', () => leaf.raw, 'wrong content', 'no'],
  ['nothing', () => Buffer.alloc(0), 'wrong content', 'no'],
]

/** The last column: what `openssl ocsp -respin` says. */
const ANSWERS: Case[] = [
  ['good', () => ocspAnswer({ issuer, serial, status: 'good' }), 'good', 'good'],
  ['revoked', () => ocspAnswer({ issuer, serial, status: 'revoked' }), 'revoked', 'revoked'],
  ['unknown', () => ocspAnswer({ issuer, serial, status: 'unknown' }), 'unknown', 'no'],
  ['good, without an end', () => ocspAnswer({ issuer, serial, status: 'good', until: null }), 'good', 'good'],
  [
    'good, of a responder',
    () => ocspAnswer({ issuer, serial, status: 'good', responder: responder('responder') }),
    'good',
    'good',
  ],
  ['tryLater', () => ocspRefusal('tryLater'), 'no answer', 'no'],
  ['unauthorized', () => ocspRefusal('unauthorized'), 'no answer', 'no'],
  [
    'good, last week',
    () => ocspAnswer({ issuer, serial, status: 'good', from: -9, until: -7 }),
    'expired',
    'no',
  ],
  [
    'good, tomorrow',
    () => ocspAnswer({ issuer, serial, status: 'good', from: 1, until: 2 }),
    'not yet valid',
    'no',
  ],
  [
    'good, about another certificate',
    () => ocspAnswer({ issuer, serial: '01AB', status: 'good' }),
    'wrong certificate',
    'no',
  ],
  [
    'good, of another authority with the same name',
    () => ocspAnswer({ issuer: foreign.intermediate, serial, status: 'good' }),
    'wrong certificate',
    'no',
  ],
  [
    'good, signed by another key',
    () => ocspAnswer({ issuer, serial, status: 'good', signedBy: foreign.root.key }),
    'wrong signature',
    'no',
  ],
  [
    'good, of a responder without the usage',
    () => ocspAnswer({ issuer, serial, status: 'good', responder: responder('server') }),
    'wrong issuer',
    'no',
  ],
  [
    'good, of a responder of another authority',
    () =>
      ocspAnswer({
        issuer,
        serial,
        status: 'good',
        responder: responder('responder', 30, foreign.intermediate),
      }),
    'wrong issuer',
    'no',
  ],
  [
    'good, of a responder that has expired',
    () => ocspAnswer({ issuer, serial, status: 'good', responder: responder('responder', -1) }),
    'expired',
    'no',
  ],
  ['good, with a certificate that cannot be read', () => unreadable(), 'wrong signature', 'no'],
  ['nothing', () => Buffer.alloc(0), 'wrong content', 'no'],
  ['a page of a proxy', () => Buffer.from('<html>'), 'wrong content', 'no'],
  [
    'an answer that ends too early',
    () => ocspAnswer({ issuer, serial, status: 'good' }).subarray(0, -9),
    'wrong content',
    'no',
  ],
]

describe('the status of a certificate', () => {
  const hasOpenssl = spawnSync('openssl', ['version']).status === 0
  /** A test that asks the command `openssl`. Without this command, the title says why the test is skipped. */
  const besideOpenssl = (title: string, act: () => void) =>
    hasOpenssl ? it(title, act) : it.skip(`${title} (skipped: there is no command openssl)`, act)
  const folder = mkdtempSync(join(tmpdir(), 'mail-tls-status-'))
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const store = file('root.pem', hierarchy.root.certificate)
  const others = file('issuer.pem', issuer.certificate)
  const own = file('leaf.pem', leaf.toString())
  after(() => rmSync(folder, { recursive: true }))

  /** What OpenSSL makes of the same bytes. */
  const openssl = (...args: string[]): string => {
    const { stdout, stderr, status } = spawnSync('openssl', args, { encoding: 'utf8', timeout: 20_000 })
    const text = `${stdout}${stderr}`
    if (/revoked/.test(text)) return 'revoked'
    return status === 0 && /: (OK|good)$/m.test(text) && !/WARNING: Status times|Verify Failure/i.test(text)
      ? 'good'
      : 'no'
  }

  for (const [words, der, expected, there] of LISTS) {
    it(`in ${words}: ${expected}`, async () => {
      assert.equal(await outcome(statusInList(der(), subject)), expected)
    })
    if (there !== 'differs')
      besideOpenssl(`in ${words}, as OpenSSL sees it: ${there}`, () => {
        const list = file('list.pem', pem(der()))
        const seen = openssl(
          'verify',
          '-crl_check',
          '-CAfile',
          store,
          '-untrusted',
          others,
          '-CRLfile',
          list,
          own,
        )
        assert.equal(seen, there)
      })
  }

  for (const [words, der, expected, there] of ANSWERS) {
    it(`in an answer: ${words}: ${expected}`, async () => {
      assert.equal(await outcome(statusInAnswer(der(), subject)), expected)
    })
    besideOpenssl(`in an answer: ${words}, as OpenSSL sees it: ${there}`, () => {
      const answer = file('answer.der', der())
      const args = [
        '-respin',
        answer,
        '-issuer',
        others,
        '-cert',
        own,
        '-CAfile',
        store,
        '-verify_other',
        others,
      ]
      assert.equal(openssl('ocsp', ...args), there)
    })
  }

  besideOpenssl('is asked for as OpenSSL understands it', () => {
    const request = ocspRequest(leaf, inside)
    const options = [
      'ocsp',
      '-issuer',
      others,
      '-cert',
      own,
      '-no_nonce',
      '-reqout',
      join(folder, 'request.der'),
    ]
    execFileSync('openssl', options)
    assert.deepEqual(request, readFileSync(join(folder, 'request.der')))
  })

  it('is found among a hundred thousand entries', async () => {
    const without = revocationList({ issuer })
    const whole = elementAt(without, 0)
    const [content, algorithm] = [...elementsIn(without, whole)]
    const fields = [...elementsIn(without, content!)]
    const next = fields.findLast(({ tag }) => tag === TAGS.utcTime)!.end
    const entry = (number: string) =>
      sequence(
        Buffer.from(`02${(number.length / 2).toString(16).padStart(2, '0')}${number}`, 'hex'),
        UTC_TIME,
      )
    const entries = Array.from({ length: 100_000 }, (_, i) => entry((0x7000_0000 + i).toString(16)))
    const signing = (...last: Buffer[]) => {
      const list = sequence(...entries, ...last)
      const kept = [without.subarray(content!.content, next), list, without.subarray(next, content!.end)]
      const signed = sequence(...kept)
      const signature = sign('sha256', signed, issuer.key)
      const bits = Buffer.concat([Buffer.from([0x03, signature.length + 1, 0]), signature])
      return sequence(signed, without.subarray(algorithm!.at, algorithm!.end), bits)
    }
    assert.equal(await outcome(statusInList(signing(entry(serial)), subject)), 'revoked')
    assert.equal(await outcome(statusInList(signing(), subject)), 'good')
  })

  for (const [kind, keys] of Object.entries(KEYS))
    it(`can be had from an authority with a key of each kind: ${kind}`, async () => {
      const own = new Hierarchy('former', { keys })
      const certificate = new X509Certificate(own.leaf({ publicKey }).certificate)
      const of = { ...subject, certificate, issuer: new X509Certificate(own.intermediate.certificate) }
      const { serialNumber } = certificate
      const revoked = revocationList({ issuer: own.intermediate, revoked: [serialNumber] })
      assert.equal(await outcome(statusInList(revoked, of)), 'revoked')
      const answer = ocspAnswer({ issuer: own.intermediate, serial: serialNumber, status: 'good' })
      assert.equal(await outcome(statusInAnswer(answer, of)), 'good')
    })
})

const UTC_TIME = Buffer.from('170d3236313133303030303030305a', 'hex')

function sequence(...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const head = Buffer.from([TAGS.sequence, 0x84, 0, 0, 0, 0])
  head.writeUInt32BE(content.length, 2)
  return Buffer.concat([head, content])
}
