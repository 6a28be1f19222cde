import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { pemEncoded } from '../pem.ts'
import { certificate } from './certificate.ts'
import {
  ANSWERS,
  type AnswerName,
  type AnswerSpec,
  LISTS,
  type ListName,
  type ListSpec,
} from './status-words.ts'
import { ocspAnswer, ocspRefusal, revocationList, type StatusSigner } from './write-crl-and-ocsp.ts'

/** About which certificates, by their serial numbers in hexadecimal, and who could sign. */
export interface AnswersAbout {
  issuer: StatusSigner & { commonName: string }
  serials: readonly string[]
  /** An authority that has nothing to do with them. */
  other: StatusSigner
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** An OCSPResponse in DER. */
export function namedAnswer(name: AnswerName, { issuer, serials, other }: AnswersAbout): Buffer {
  const { says, by, about, ...times }: AnswerSpec = ANSWERS[name]
  if (says !== 'good' && says !== 'revoked' && says !== 'unknown') return ocspRefusal(says)
  const serial = about ? [`01${'0'.repeat(30)}`] : serials
  return ocspAnswer({ issuer, serial, status: says, ...times, ...signer(by, issuer, other) })
}

function signer(by: AnswerSpec['by'], issuer: AnswersAbout['issuer'], other: StatusSigner) {
  switch (by) {
    case undefined:
      return {}
    case 'a wrong key':
      return { signedBy: other.key }
    case 'another authority':
      return { responder: other }
    default: {
      const key = newKey()
      const role = by === 'a responder of the issuer' ? 'responder' : 'server'
      const commonName = `Mail TLS test ${role}`
      const made = { commonName, publicKey: createPublicKey(key), issuer, role, from: -1, until: 1 } as const
      return { responder: { key, certificate: certificate(made) } }
    }
  }
}

/** A list in DER, or in PEM where the name says so. */
export function namedList(name: ListName, { issuer, serials, other }: AnswersAbout): Buffer {
  const { lists, by, as, ...times }: ListSpec = LISTS[name]
  if (as === 'nothing') return Buffer.alloc(0)
  const der = revocationList({
    issuer: by === 'another authority' ? other : issuer,
    revoked: lists ? serials : [],
    ...times,
    ...(by === 'a wrong key' ? { signedBy: other.key } : {}),
  })
  return as === 'PEM' ? Buffer.from(pemEncoded('X509 CRL', der)) : der
}
