import type { Mutant } from './mutant.ts'

export const TRANSITION: readonly Mutant[] = [
  {
    name: 'keeps its former certificate',
    requirement: 'EXO-TRN-01',
    defects: { receiver: { keepsCertificate: true } },
    symptom: 'still showed the former certificate after the change',
  },
  {
    name: 'shows the new certificate before its start',
    requirement: 'EXO-TRN-01',
    defects: { receiver: { showsTomorrowsCertificate: true } },
    symptom: 'outside its validity',
  },
  {
    name: 'loses mail while its certificate is changed',
    requirement: 'EXO-TRN-01',
    defects: { queue: { losesAtChange: true } },
    symptom: 'accepted messages did not arrive',
    waits: true,
  },
  {
    name: 'sends validated mail in clear when the authority has changed',
    requirement: 'EXO-TRN-02',
    defects: { sender: { clearAfterBadCertificate: true } },
    symptom: 'the message arrived in clear',
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'hides in its queue why mail waits',
    requirement: 'EXO-TRN-02',
    defects: { words: { hidesReasons: true } },
    symptom: 'its reason does not name the certificate',
  },
  {
    name: 'trusts one root at a time',
    requirement: 'EXO-TRN-03',
    defects: { sender: { trustsFirstRootOnly: true } },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'shows both certificates in turn',
    requirement: 'EXO-TRN-01',
    defects: { receiver: { alternatesCertificates: true } },
    symptom: 'still showed the former certificate after the change',
  },
  {
    name: 'trusts roots that it was not told of',
    requirement: 'EXO-TRN-02',
    defects: { sender: { ignoresIssuer: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends opportunistic mail in clear when the authority has changed',
    requirement: 'EXO-TRN-02',
    defects: { sender: { validatesOpportunistic: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'ends instead of refusing',
    requirement: 'EXO-FRC-11',
    defects: { receiver: { crashesInsteadOfRefusing: true } },
    symptom: 'reference ended by itself',
  },
  {
    name: 'ends a little after it has held a message back',
    requirement: 'EXO-FRC-01',
    defects: { queue: { crashesAfterHolding: true } },
    symptom: 'reference ended by itself',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'ends instead of holding a message back',
    requirement: 'EXO-FRC-01',
    defects: { sender: { crashesInsteadOfHolding: true } },
    symptom: 'reference ended by itself',
  },
]
