import type { Mutant } from './mutant.ts'

export const REPORTING: readonly Mutant[] = [
  {
    name: 'writes a constant TLS text in its Received line',
    requirement: 'TRC-01',
    defects: { words: { receivedAlwaysTls: true } },
    symptom: 'the message came in clear, but its Received line says ESMTPS',
  },
  {
    name: 'derives its Received line from a lower one',
    requirement: 'TRC-01',
    defects: { words: { receivedFromLowerLine: true } },
    symptom: 'the message came in clear, but its Received line says ESMTPS',
  },
  {
    name: 'logs "verified" because the certificate names the MX host',
    requirement: 'TRC-02',
    defects: { words: { verifiesByMxName: true } },
    symptom: 'the log calls a stranger verified',
  },
  {
    name: 'logs every sender with a certificate as verified',
    requirement: 'TRC-02',
    defects: { words: { verifiesAnyCertificate: true } },
    symptom: 'the log calls a stranger verified',
  },
  {
    name: 'logs TLS where there was none',
    requirement: 'TRC-02',
    defects: { words: { callsClearEncrypted: true } },
    symptom: 'the log calls a clear session encrypted',
  },
  {
    name: 'logs neither version nor suite',
    requirement: 'TRC-02',
    defects: { words: { hidesSessions: true } },
    symptom: 'the log tells neither version nor suite',
    breaksControl: true,
  },
  {
    name: 'writes a Received line that never tells of TLS',
    requirement: 'TRC-01',
    defects: { words: { receivedNeverTls: true } },
    symptom: 'the message came over TLS, but its Received line says ESMTP',
    breaksControl: true,
  },
  {
    name: 'writes TLS 1.3 for every version',
    requirement: 'TRC-01',
    defects: { words: { receivedFixedVersion: true } },
    symptom: 'the Received line says TLS 1.3',
  },
  {
    name: 'writes the same suite for every session',
    requirement: 'TRC-01',
    defects: { words: { receivedFixedSuite: true } },
    symptom: 'the Received line says ECDHE-RSA-AES128-GCM-SHA256',
    breaksControl: true,
  },
  {
    name: 'hides in its Received lines that its own servers used TLS',
    requirement: 'TRC-01',
    defects: { amongServers: { words: { receivedNeverTls: true } } },
    symptom: 'reference to reference: the message came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'logs the same suite for every session',
    requirement: 'TRC-02',
    defects: { words: { logsFixedSuite: true } },
    symptom: 'the log says ECDHE-RSA-AES128-GCM-SHA256',
    breaksControl: true,
  },
]
