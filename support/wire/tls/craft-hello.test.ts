import assert from 'node:assert/strict'
import { clientHelloBytes, FALLBACK_SCSV, type Offer, ssl2HelloBytes } from './craft-hello.ts'
import { Cursor } from './cursor.ts'
import { RecordReader, type TlsSighting } from './tls-records.ts'

/** The extensions of a hello, by number. `bytes`: of one record. */
function extensionsIn(bytes: Buffer): Map<number, Buffer> {
  const cursor = new Cursor(bytes.subarray(9))
  cursor.bytes(34)
  cursor.vector(1)
  cursor.vector(2)
  cursor.vector(1)
  const found = new Map<number, Buffer>()
  if (cursor.left === 0) return found
  const list = cursor.vector(2)
  while (list.left > 0) {
    const type = list.number(2)
    const body = list.vector(2)
    found.set(type, body.bytes(body.left))
  }
  return found
}

describe('a crafted ClientHello', () => {
  const plain: Offer = { version: 0x0303, suites: [0xc02f, 0x009c] }
  const read = (offer: Offer) => {
    const seen = new RecordReader().read(clientHelloBytes(offer))
    assert.equal(seen.length, 1)
    return (seen[0] as Extract<TlsSighting, { kind: 'client-hello' }>).hello
  }

  const READ: Record<string, [offer: Offer, says: Partial<ReturnType<typeof read>>]> = {
    'TLS 1.2 without extensions': [
      plain,
      {
        legacyVersion: 'TLSv1.2',
        suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
        groups: [],
        signatureAlgorithms: [],
      },
    ],
    'SSL 3': [
      { ...plain, version: 0x0300 },
      { legacyVersion: 'SSLv3', versions: ['SSLv3'] },
    ],
    'TLS 1.3 alone': [
      { ...plain, versions: [0x0304], groups: [29, 4588] },
      { versions: ['TLSv1.3'], legacyVersion: 'TLSv1.2', groups: ['X25519', 'X25519MLKEM768'] },
    ],
    'a server name': [{ ...plain, serverName: 'mx.d1.test' }, { serverName: 'mx.d1.test' }],
    'signature algorithms': [
      { ...plain, signatureAlgorithms: [0x0804, 0x0201] },
      { signatureAlgorithms: ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha1'] },
    ],
    'GREASE, which means nothing': [
      { ...plain, grease: true, versions: [0x0304], groups: [29] },
      { suites: read(plain).suites, versions: ['TLSv1.3'], groups: ['X25519'] },
    ],
    'several records': [{ ...plain, recordSize: 7 }, { suites: read(plain).suites }],
  }
  for (const [what, [offer, says]] of Object.entries(READ))
    it(`is read as it was meant: ${what}`, () => {
      assert.partialDeepStrictEqual(read(offer), says)
    })

  it('has no list of extensions where it has none', () => {
    const bytes = clientHelloBytes(plain)
    // Record header, message header, version, random, session id, two suites, one compression method.
    assert.equal(bytes.length, 5 + 4 + 2 + 32 + 1 + (2 + 4) + 2)
  })

  it('has the bytes that the standards give to each extension', () => {
    const found = extensionsIn(
      clientHelloBytes({
        ...plain,
        protocols: ['smtp'],
        ticket: Buffer.from('ab', 'hex'),
        extendedMasterSecret: true,
        renegotiationInfo: true,
        groups: [23],
        others: [[22, Buffer.alloc(0)]],
      }),
    )
    assert.deepEqual(Object.fromEntries([...found].map(([type, body]) => [type, body.toString('hex')])), {
      16: '000504736d7470',
      35: 'ab',
      23: '',
      65281: '00',
      10: '00020017',
      11: '0100',
      22: '',
    })
    const tls13 = extensionsIn(clientHelloBytes({ ...plain, versions: [0x0304, 0x0303], groups: [29] }))
    assert.equal(tls13.get(43)?.toString('hex'), '0403040303')
    assert.equal(tls13.get(51)?.toString('hex'), '0000')
    assert.equal(tls13.has(11), false)
  })

  it('says its versions where they belong', () => {
    const versions = (offer: Offer) => {
      const bytes = clientHelloBytes(offer)
      return [bytes.readUInt16BE(1), bytes.readUInt16BE(9)]
    }
    assert.deepEqual(versions(plain), [0x0301, 0x0303])
    assert.deepEqual(versions({ ...plain, version: 0x0300 }), [0x0300, 0x0300])
    assert.deepEqual(versions({ ...plain, recordVersion: 0x0300 }), [0x0300, 0x0303])
  })

  it('offers compression, a session and the fallback signal', () => {
    const bytes = clientHelloBytes({
      ...plain,
      random: Buffer.alloc(32, 1),
      sessionId: Buffer.from('aabb', 'hex'),
      suites: [0x002f, FALLBACK_SCSV],
      compression: [1, 0],
    })
    assert.equal(bytes.subarray(43).toString('hex'), '02aabb0004002f5600020100')
  })

  it('does not write a value that its field cannot hold', () => {
    assert.throws(() => clientHelloBytes({ ...plain, serverName: 'x'.repeat(70_000) }), RangeError)
    assert.throws(() => clientHelloBytes({ ...plain, suites: [0x10000] }), RangeError)
  })

  it('of SSL 2 has a header of its own', () => {
    const bytes = ssl2HelloBytes()
    assert.equal(bytes.readUInt16BE(0) & 0x7fff, bytes.length - 2)
    assert.equal(bytes.subarray(2, 11).toString('hex'), '010002001500000010')
  })
})
