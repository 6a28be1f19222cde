import type { Mutant } from './mutant.ts'

export const CERTIFICATE: readonly Mutant[] = [
  {
    name: 'compares names at certificate validation',
    requirement: 'EXO-FRC-09',
    defects: { sender: { comparesNamesAtChainLevel: true } },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'compares no names at domain validation',
    requirement: 'EXO-FRC-09',
    defects: { sender: { ignoresNames: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-10', 'DGR-03'],
  },
  {
    name: 'compares the configured wildcard by its letters',
    requirement: 'EXO-FRC-10',
    defects: { sender: { comparesWildcardSuffix: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'compares the configured name by its letters',
    requirement: 'EXO-FRC-10',
    defects: { sender: { comparesNameSuffix: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09', 'DGR-03'],
  },
  {
    name: 'believes the name in any certificate, whoever issued it',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresChain: true } },
    symptom: 'accepted the message',
    explains: ['RFC3207-11'],
  },
  {
    name: 'lets a sender in whose certificate has expired',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresDates: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a sender in whose certificate is for servers',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresUsage: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'takes a name that goes on behind the configured one',
    requirement: 'EXO-FRC-10',
    defects: { sender: { comparesBeginning: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes the name of the mail exchanger for the configured one',
    requirement: 'EXO-FRC-10',
    defects: { sender: { takesMxName: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets a sender in whose authority nobody trusts',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresIssuer: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a sender in whose issuer is no authority',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresCaFlag: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'shows its certificate without the intermediate',
    requirement: 'PKIX-06',
    defects: { receiver: { omitsIntermediate: true } },
    symptom: 'a chain of 1 certificate leads to no trusted root: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    name: 'fills a gap in the chain with an intermediate that another partner showed',
    requirement: 'PKIX-06',
    defects: { sender: { remembersIntermediates: true } },
    symptom: 'arrived over TLS',
  },
]
