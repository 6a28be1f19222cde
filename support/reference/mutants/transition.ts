import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { MailFlow } from '../../mailflow/mail-flow.ts'
import { certificate } from '../../pki/certificate.ts'
import type { Identity } from '../../pki/pki.ts'
import type { Mutant } from './mutant.ts'
import { despite, UNKNOWN_ISSUER } from './shared.ts'

/** The gateway ends: a decision cannot be made. */
function ends(): never {
  throw new Error('this defect ends the gateway')
}

/** A certificate for the same key that is valid from tomorrow on, under the name of the new issuer. */
function tomorrows({ hostname, identity }: MailFlow): Identity {
  const key = createPrivateKey(identity.key)
  const pem = certificate({
    commonName: hostname,
    names: [hostname],
    publicKey: createPublicKey(key),
    issuer: { commonName: 'Mail TLS test new intermediate', key },
    role: 'server',
    from: 1,
    until: 30,
  })
  return { key: identity.key, certificate: pem }
}

export const TRANSITION: readonly Mutant[] = [
  {
    name: 'keeps its former certificate',
    requirement: 'EXO-TRN-01',
    receiver: { tls: ({ identities }, correct) => ({ ...correct, identity: identities[0]! }) },
    symptom: 'still showed the former certificate after the change',
  },
  {
    name: 'shows the new certificate before its start',
    requirement: 'EXO-TRN-01',
    receiver: {
      tls: ({ flow, identities }, correct) =>
        identities.length > 1 ? { ...correct, identity: tomorrows(flow) } : correct,
    },
    symptom: 'outside its validity',
  },
  {
    name: 'loses mail while its certificate is changed',
    requirement: 'EXO-TRN-01',
    queue: { sends: ({ firstSinceChange }, correct) => (firstSinceChange ? 'never' : correct) },
    symptom: 'accepted messages did not arrive',
    waits: true,
  },
  {
    name: 'sends validated mail in clear when the authority has changed',
    requirement: 'EXO-TRN-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'certificate not accepted' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'hides in its queue why mail is deferred',
    requirement: 'EXO-TRN-02',
    queue: {
      result: (_, correct) =>
        correct.kind === 'deferred' ? { ...correct, reason: 'try again later' } : correct,
    },
    symptom: 'its reason does not name the certificate',
  },
  {
    name: 'trusts only the first of several roots',
    requirement: 'EXO-TRN-03',
    sender: { tls: (_, correct) => ({ ...correct, trust: correct.trust.slice(0, 1) }) },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'shows the former and the new certificate in turn',
    requirement: 'EXO-TRN-01',
    receiver: {
      tls: ({ identities, connection }, correct) => ({
        ...correct,
        identity: identities.at(connection % 2 === 0 ? -2 : -1) ?? correct.identity,
      }),
    },
    symptom: 'still showed the former certificate after the change',
  },
  {
    name: 'trusts roots that it was not told of',
    requirement: 'EXO-TRN-02',
    sender: { trustsChain: despite(UNKNOWN_ISSUER) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends opportunistic mail in clear when the authority has changed',
    requirement: 'EXO-TRN-02',
    sender: { checks: ({ level }, correct) => (level === 'opportunistic' ? ['chain'] : correct) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'ends by itself instead of refusing a sender',
    requirement: 'EXO-FRC-11',
    receiver: { refusalOfSender: (_, correct) => correct && ends() },
    symptom: 'reference ended by itself',
  },
  {
    name: 'ends by itself a little after it has deferred a message',
    requirement: 'EXO-FRC-01',
    queue: { nextAttemptIn: () => 300 },
    sender: { level: ({ attempt }, correct) => (attempt > 1 ? ends() : correct) },
    symptom: 'reference ended by itself',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'ends by itself instead of deferring a message',
    requirement: 'EXO-FRC-01',
    queue: { result: (_, correct) => (correct.kind === 'deferred' ? ends() : correct) },
    symptom: 'reference ended by itself',
  },
]
