import {
  constants,
  createECDH,
  createHash,
  createPrivateKey,
  getDiffieHellman,
  privateEncrypt,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import type { ClientHello } from '../conversation.ts'
import { EXTENSION, number, vector } from './craft-hello.ts'
import { suiteName } from './tls-names.ts'
import { SUITES } from './tls-registry.ts'

/**
 * What a server up to TLS 1.2 answers to a ClientHello, where no TLS library would answer so. What is absent is as the client
 * wants it.
 */
export interface CraftedAnswer {
  /** The version of the ServerHello. Default: TLS 1.2. */
  version?: 'SSLv3' | 'TLSv1' | 'TLSv1.1'
  /** Names of IANA: the first of these that the client offers, or the first of all if it offers none. */
  suites?: readonly string[]
  /** The first of these suites that the client does not offer. */
  notOffered?: true
  /** The random says that the server has TLS 1.3: RFC 8446 s4.1.3. */
  marked?: true
  /** DEFLATE is chosen: RFC 3749. */
  compresses?: true
  /** renegotiation_info is not acknowledged: RFC 5746 s3.4. */
  renegotiatesInsecurely?: true
  /** The curve of the key exchange: secp192r1, of 192 bits. */
  curve?: 'secp192r1'
  /** With which the key exchange is signed; default SHA-256. Up to TLS 1.1 it is MD5 with SHA-1. */
  digest?: 'sha1'
  /** The certificate comes in a record of 2^14 + 1 bytes or more: RFC 5246 s6.2.1. */
  longRecord?: true
}

const NUMBERS = { SSLv3: 0x0300, TLSv1: 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303 } as const
const [SERVER_HELLO, CERTIFICATE, KEY_EXCHANGE, HELLO_DONE] = [2, 11, 12, 14]
const HANDSHAKE = 22
const RSA = 1
/** RFC 5246 s7.4.1.4.1. */
const DIGESTS = { sha1: 2, sha256: 4 }
const CURVES = { P256: [0x0017, 'prime256v1'], secp192r1: [0x0013, 'prime192v1'] } as const
/** The most bytes that a record may have: RFC 5246 s6.2.1. */
const MAX_RECORD = 16_384

const codes = new Map(SUITES.map(([code, name]) => [name, code]))
/** What most clients offer, with a key exchange that a server signs. */
const USUAL = SUITES.map(([, name]) => name).filter(name => /^TLS_ECDHE_RSA_WITH_AES_\d+_GCM/.test(name))
const USUAL_BELOW_TLS12 = ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA']

/** The suite, by IANA's name, with which such a server answers this client. */
export function suiteOfAnswer({ suites, version, notOffered }: CraftedAnswer, hello: ClientHello): string {
  const wanted = suites ?? (version ? USUAL_BELOW_TLS12 : USUAL)
  return wanted.find(name => hello.suites.includes(name) !== (notOffered ?? false)) ?? wanted[0]!
}

/**
 * The records from ServerHello to ServerHelloDone. `random` of the client, hex; `key` and `chain` PEM, with a key of RSA.
 */
export function answerBytes(
  answer: CraftedAnswer,
  { hello, random, key, chain }: { hello: ClientHello; random: string; key: string; chain: string },
): Buffer {
  const version = NUMBERS[answer.version ?? 'TLSv1.2']
  const suite = suiteOfAnswer(answer, hello)
  const own = answer.marked ? Buffer.concat([randomBytes(24), Buffer.from('DOWNGRD\x01')]) : randomBytes(32)
  const record = (body: Buffer) => Buffer.concat([number(HANDSHAKE, 1), number(version, 2), vector(2, body)])
  const flight = [
    message(
      SERVER_HELLO,
      number(version, 2),
      own,
      vector(1),
      number(codes.get(suite)!, 2),
      number(answer.compresses ? 1 : 0, 1),
      ...extensionsOf(answer, hello),
    ),
    certificateMessage(chain, answer.longRecord ? MAX_RECORD + 1 : 0),
  ]
  const params = paramsOf(answer, suite)
  if (params) {
    const signed = Buffer.concat([Buffer.from(random, 'hex'), own, params])
    flight.push(message(KEY_EXCHANGE, params, signatureOf(signed, key, answer)))
  }
  return Buffer.concat([...flight, message(HELLO_DONE)].map(record))
}

const message = (type: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([number(type, 1), vector(3, ...parts)])

/** Those that the client may get because it has offered them; RFC 5246 s7.4.1.4. An empty list is left out. */
function extensionsOf(answer: CraftedAnswer, { extensions, renegotiationInfo }: ClientHello): Buffer[] {
  const all: Buffer[] = []
  const add = (type: number, body: Buffer = Buffer.alloc(0)) => all.push(number(type, 2), vector(2, body))
  if (renegotiationInfo && !answer.renegotiatesInsecurely) add(EXTENSION.renegotiationInfo, vector(1))
  if (extensions.includes(EXTENSION.extendedMasterSecret)) add(EXTENSION.extendedMasterSecret)
  return all.length > 0 && answer.version !== 'SSLv3' ? [vector(2, ...all)] : []
}

/** `atLeast`: copies of the last certificate follow until the message has so many bytes. */
function certificateMessage(chain: string, atLeast: number): Buffer {
  const all: Buffer[] = chain
    .split(/(?=-----BEGIN CERTIFICATE-----)/)
    .filter(pem => pem.includes('BEGIN'))
    .map(pem => vector(3, new X509Certificate(pem).raw))
  while (Buffer.concat(all).length < atLeast) all.push(all.at(-1)!)
  return message(CERTIFICATE, vector(3, ...all))
}

/** RFC 5246 s7.4.3, RFC 8422 s5.4. Nothing for a key exchange by RSA. */
function paramsOf({ curve }: CraftedAnswer, suite: string): Buffer | undefined {
  if (/_ECDHE_/.test(suite)) {
    const [code, name] = CURVES[curve ?? 'P256']
    return Buffer.concat([number(3, 1), number(code, 2), vector(1, createECDH(name).generateKeys())])
  }
  if (!/_DHE_/.test(suite)) return undefined
  // RFC 2409 s6.2: 1024 bits.
  const field = getDiffieHellman('modp2')
  const share = field.generateKeys()
  return Buffer.concat([field.getPrime(), field.getGenerator(), share].map(value => vector(2, value)))
}

/** RFC 5246 s4.7, RFC 2246 s4.7. */
function signatureOf(signed: Buffer, pem: string, { version, ...how }: CraftedAnswer): Buffer {
  const key = createPrivateKey(pem)
  const digest = how.digest ?? 'sha256'
  if (!version)
    return Buffer.concat([number(DIGESTS[digest], 1), number(RSA, 1), vector(2, sign(digest, signed, key))])
  const both = ['md5', 'sha1'].map(name => createHash(name).update(signed).digest())
  return vector(2, privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat(both)))
}

/** The suites of IANA's registry whose name is of this kind, in the order of their numbers. */
export const suitesNamed = (pattern: RegExp): string[] =>
  SUITES.map(([code]) => suiteName(code)).filter(name => pattern.test(name))
