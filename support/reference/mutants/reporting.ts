import { headersOf } from '../../evidence/mail.ts'
import { onlyWhere } from '../decisions/defect.ts'
import { carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { isAmongOwnServers, TLS_1_3 } from './shared.ts'

const lowerLineClaimsTls = (content: string): boolean =>
  headersOf(content).some(({ name, value }) => name === 'received' && /\bwith ESMTPS/.test(value))

export const REPORTING: readonly Mutant[] = [
  {
    name: 'writes a constant TLS text in its Received line',
    requirement: 'TRC-01',
    words: { receivedTls: (_, correct) => correct ?? TLS_1_3 },
    symptom: 'the message came unencrypted, but its Received line says ESMTPS',
  },
  {
    name: 'derives its Received line from a lower one',
    requirement: 'TRC-01',
    words: {
      receivedTls: ({ content }, correct) => correct ?? (lowerLineClaimsTls(content) ? TLS_1_3 : undefined),
    },
    symptom: 'the message came unencrypted, but its Received line says ESMTPS',
  },
  {
    name: 'writes the same Received line whether TLS was there or not',
    requirement: 'EXO-VER-06',
    words: { receivedTls: () => undefined },
    symptom: 'the message came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'does not say from whom an unencrypted message came',
    requirement: 'EXO-VER-06',
    words: {
      headers: ({ tls, received }, correct) =>
        tls ? correct : [received.replace(/from \S+ \(\S+\)\s+/, '')],
    },
    symptom: 'does not say from whom',
  },
  {
    name: 'logs nothing of the TLS of its sessions',
    requirement: 'EXO-VER-06',
    words: { session: () => ({ tls: false }) },
    symptom: 'the log does not say that the session was encrypted',
  },
  {
    name: 'logs TLS for what went unencrypted',
    requirement: 'EXO-VER-06',
    words: { session: ({ tls }, correct) => (tls ? correct : { tls: true, ...TLS_1_3 }) },
    symptom: 'the log calls an unencrypted session encrypted',
  },
  {
    name: 'logs a session without TLS like those before that had it',
    requirement: 'DGR-06',
    words: { session: ({ tls }, correct) => (tls ? correct : { tls: true, ...TLS_1_3 }) },
    symptom: 'the log tells of TLS in more sessions than had it',
  },
  {
    name: 'logs "verified" because the certificate names the MX host',
    requirement: 'TRC-02',
    words: {
      session: ({ tls, host }, correct) =>
        tls && host ? { ...correct, verified: carries(tls.certificate?.names ?? [], host) } : correct,
    },
    symptom: 'the log calls a session without a good certificate verified',
  },
  {
    name: 'logs every client with a certificate as verified',
    requirement: 'TRC-02',
    words: {
      session: ({ tls, host }, correct) =>
        tls?.certificate && !host ? { ...correct, verified: true } : correct,
    },
    symptom: 'the log calls a session without a good certificate verified',
  },
  {
    name: 'logs every client without a certificate as verified',
    requirement: 'TRC-02',
    words: {
      session: ({ tls, host }, correct) =>
        tls && !tls.certificate && !host ? { ...correct, verified: true } : correct,
    },
    symptom: 'the log calls a session without a good certificate verified',
  },
  {
    name: 'logs TLS where there was none',
    requirement: 'TRC-02',
    words: { session: ({ tls }, correct) => (tls ? correct : { tls: true, ...TLS_1_3 }) },
    symptom: 'the log calls an unencrypted session encrypted',
  },
  {
    name: 'logs neither version nor suite',
    requirement: 'TRC-02',
    words: { session: (_, { tls }) => ({ tls }) },
    symptom: 'the log tells neither version nor suite',
  },
  {
    name: 'writes a Received line that never tells of TLS',
    requirement: 'TRC-01',
    words: { receivedTls: () => undefined },
    symptom: 'the message came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'writes TLS 1.3 for every version',
    requirement: 'TRC-01',
    words: { receivedTls: (_, correct) => correct && { ...correct, version: 'TLSv1.3' } },
    symptom: 'the Received line says TLS 1.3',
  },
  {
    name: 'writes the same suite for every session',
    requirement: 'TRC-01',
    words: { receivedTls: (_, correct) => correct && { ...correct, suite: 'ECDHE-RSA-AES128-GCM-SHA256' } },
    symptom: 'the Received line says ECDHE-RSA-AES128-GCM-SHA256',
  },
  {
    name: 'hides in its Received lines that its own servers used TLS',
    requirement: 'TRC-01',
    words: onlyWhere(isAmongOwnServers, { receivedTls: () => undefined }),
    symptom: 'reference to reference: the message came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'logs the same suite for every session',
    requirement: 'TRC-02',
    words: {
      session: ({ tls }, correct) => (tls ? { ...correct, suite: 'ECDHE-RSA-AES128-GCM-SHA256' } : correct),
    },
    symptom: 'the log says ECDHE-RSA-AES128-GCM-SHA256',
  },
  {
    name: 'writes the same group for every session',
    requirement: 'TRC-01',
    words: {
      headers: ({ received, tls }, correct) =>
        tls ? [received.replace(/\bcipher=\S+(?=\))/, '$& key-exchange secp521r1')] : correct,
    },
    symptom: 'the Received line says secp521r1',
  },
]
