import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
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

const seen = new Map<string, string>()

/** What was seen first; domains of partners are never used twice. */
function firstSeen(where: string, what: string): string {
  if (!seen.has(where)) seen.set(where, what)
  return seen.get(where)!
}

const showsFormer = ({ identity }: MailFlow): boolean =>
  new X509Certificate(identity.certificate).issuer.includes(' former ')

const hasIn = (pems: readonly string[], holds: (one: X509Certificate) => boolean): boolean =>
  pems.some(pem => holds(new X509Certificate(pem)))

export const TRANSITION: readonly Mutant[] = [
  {
    name: 'keeps the trusted roots of its start until it is started again',
    requirement: 'EXO-ROOT-01',
    sender: { tls: (_, correct) => ({ ...correct, trust: correct.trust.slice(0, 1) }) },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'keeps that it has refused an issuer',
    requirement: 'EXO-ROOT-01',
    sender: { trustsChain: ({ attempt }, correct) => correct && attempt === 1 },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'looks at the names of roots alone after a refresh',
    requirement: 'EXO-ROOT-01',
    sender: {
      trustsChain: ({ flow, certificate: { issuer } }, correct) =>
        correct ||
        (flow.trust.length > 1 &&
          hasIn(flow.trust, ({ subject }) => subject.replace(/root$/, 'intermediate') === issuer)),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'trusts the certificate of a server that stands among its roots',
    requirement: 'EXO-ROOT-03',
    sender: {
      trustsChain: ({ flow, certificate: { fingerprint } }, correct) =>
        correct ||
        hasIn(flow.trust, one => one.fingerprint256.replaceAll(':', '').toLowerCase() === fingerprint),
    },
    symptom:
      "the check does not find the partner's root (not in the store), and the gateway sent the message",
  },
  {
    name: 'trusts what bears the name of an intermediate that stands among its roots',
    requirement: 'EXO-ROOT-03',
    sender: {
      trustsChain: ({ flow, certificate: { issuer } }, correct) =>
        correct || hasIn(flow.trust, ({ subject }) => subject === issuer),
    },
    symptom:
      "the check does not find the partner's root (not in the store), and the gateway sent the message",
  },
  {
    name: 'trusts the roots among the certificates that it shows',
    requirement: 'EXO-ROOT-03',
    sender: {
      tls: ({ flow }, correct) => ({
        ...correct,
        trust: [...correct.trust, ...flow.identity.certificate.split(/(?=-----BEGIN)/).slice(1)],
      }),
    },
    symptom:
      "the check does not find the partner's root (not in the store), and the gateway sent the message",
  },
  {
    name: 'looks only at the names of roots once it has refused a message',
    requirement: 'EXO-ROOT-03',
    sender: {
      trustsChain: ({ flow, attempt, certificate: { issuer } }, correct) =>
        correct ||
        (attempt > 1 &&
          hasIn(flow.trust, ({ subject }) => subject.replace(/root$/, 'intermediate') === issuer)),
    },
    symptom: 'another one with its name is in the store',
  },

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
    explains: ['EXO-FRC-01'],
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
    name: 'accepts of a domain only the certificate that it saw there first',
    requirement: 'EXO-TRN-04',
    sender: {
      trustsChain: ({ domain, certificate: { fingerprint } }, correct) =>
        correct && firstSeen(domain, fingerprint) === fingerprint,
    },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'gives up the former root once it has seen the new one in use',
    requirement: 'EXO-TRN-04',
    sender: {
      trustsChain: ({ domain, certificate: { issuer } }, correct) => {
        const before = firstSeen(`issuer at ${domain}`, issuer)
        return correct && !(/ former /.test(issuer) && / new /.test(before))
      },
    },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'takes a certificate without a unit for one with the pinned unit',
    requirement: 'EXO-TRN-05',
    sender: {
      acceptsPin: ({ pin, certificate: { subject } }, correct) =>
        correct || (pin.attribute === 'unit' && !subject.includes('OU=')),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts another issuer than the pinned one',
    requirement: 'EXO-TRN-05',
    sender: { acceptsPin: ({ pin }, correct) => correct || pin.attribute === 'issuer' },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts another key if the certificate is of the pinned organisation',
    requirement: 'EXO-TRN-05',
    sender: {
      acceptsPin: ({ pin, certificate: { subject } }, correct) =>
        correct || (pin.attribute === 'key' && subject.includes('O=Microsoft Corporation')),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'compares the pinned organisation with that of the issuer',
    requirement: 'EXO-TRN-05',
    sender: {
      acceptsPin: ({ pin, certificate: { issuer } }, correct) =>
        pin.attribute === 'organisation' ? issuer.includes(`O=${pin.value}`) : correct,
    },
    symptom: /did not arrive: deferred .* has another organisation/,
  },
  {
    name: 'still has older versions at front ends with the former certificate',
    requirement: 'EXO-TRN-04',
    receiver: {
      tls: ({ flow }, correct) => (showsFormer(flow) ? { ...correct, minVersion: 'TLSv1' } : correct),
    },
    symptom: /asked for TLS 1\.1 alone, .* is the weaker/,
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
