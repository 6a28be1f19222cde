import type { OcspRefusal } from './write-crl-and-ocsp.ts'

/** What a responder says about a certificate, and who says so. Absent: the issuer, from yesterday until tomorrow. */
export interface AnswerSpec {
  says: 'good' | 'revoked' | 'unknown' | OcspRefusal
  /** In days from now. */
  from?: number
  until?: number
  about?: 'another certificate'
  by?: 'another authority' | 'a responder of the issuer' | 'a server of the issuer' | 'a wrong key'
}

/** Answers of responders, in the words of the features: RFC 6960 s2.2, s3.2 and s4.2.2. */
export const ANSWERS = {
  'that its certificate is good': { says: 'good' },
  'that its certificate is good, by a responder that may say so': {
    says: 'good',
    by: 'a responder of the issuer',
  },
  'that its certificate is revoked': { says: 'revoked' },
  'that its certificate is unknown': { says: 'unknown' },
  'that no status can be given now': { says: 'tryLater' },
  'an answer about another certificate': { says: 'good', about: 'another certificate' },
  'an answer with a signature that does not fit': { says: 'good', by: 'a wrong key' },
  'an answer of another authority': { says: 'good', by: 'another authority' },
  'an answer of a server of the same authority': { says: 'good', by: 'a server of the issuer' },
  'an answer that has expired': { says: 'good', from: -9, until: -2 },
  'an answer from the future': { says: 'good', from: 2, until: 9 },
} as const satisfies Record<string, AnswerSpec>
export type AnswerName = keyof typeof ANSWERS

/** A list and who has made it. Absent: the issuer, with no certificate in it. */
export interface ListSpec {
  lists?: 'the certificate'
  from?: number
  until?: number
  by?: 'another authority' | 'a wrong key'
  as?: 'PEM' | 'nothing'
}

/** Lists, in the words of the features: RFC 5280 s5 and s6.3.3. */
export const LISTS = {
  'a list without the certificate': {},
  'a list with the certificate': { lists: 'the certificate' },
  'a list that has expired': { from: -9, until: -2 },
  'a list from the future': { from: 2, until: 9 },
  'a list of another authority': { by: 'another authority' },
  'a list with a signature that does not fit': { by: 'a wrong key' },
  'a list in a text format': { as: 'PEM' },
  'an empty list file': { as: 'nothing' },
} as const satisfies Record<string, ListSpec>
export type ListName = keyof typeof LISTS
