import { decisive } from '../../mailflow/mail-flow.ts'
import { GO_AHEAD, missesTls, TLS_FIRST } from '../decisions/receiver.ts'
import { carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { endsLikeWildcard, goesOnBehind, storesRefused } from './shared.ts'

export const INBOUND: readonly Mutant[] = [
  {
    name: 'greets unencrypted where TLS should begin with the connection',
    requirement: 'RFC8314-01',
    receiver: { beginsWithTls: () => false },
    symptom: 'a user gets no TLS in which to log in',
  },
  {
    name: 'takes users with TLS 1.1',
    requirement: 'RFC8314-01',
    receiver: {
      tls: ({ role }, correct) => (role === 'submission' ? { ...correct, minVersion: 'TLSv1.1' } : correct),
    },
    symptom: 'a user gets a session with TLS 1.1',
  },
  {
    name: 'takes users with TLS 1.0 where TLS begins with the connection',
    requirement: 'RFC8314-01',
    receiver: { tls: ({ implicit }, correct) => (implicit ? { ...correct, minVersion: 'TLSv1' } : correct) },
    symptom: 'a user gets a session with TLS 1.',
  },
  {
    name: 'takes mail in clear and only adds a header',
    requirement: 'EXO-FRC-11',
    receiver: {
      refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined),
      stored: ({ tls, connector }, correct) =>
        correct && !tls && connector?.tls === 'required' ? `X-Transport: in clear\r\n${correct}` : correct,
    },
    symptom: 'accepted the unencrypted message',
  },
  {
    name: 'never asks for a certificate and lets any TLS session in',
    requirement: 'EXO-FRC-12',
    receiver: {
      tls: (_, correct) => ({ ...correct, asksForCertificate: false }),
      refusalOfSender: ({ tls }, correct) => (tls ? undefined : correct),
    },
    symptom: 'never asked for a certificate',
  },
  {
    name: 'accepts any client certificate of a trusted authority',
    requirement: 'EXO-FRC-13',
    receiver: { acceptsName: () => true },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts any client whose name ends like the expected wildcard',
    requirement: 'EXO-FRC-13',
    receiver: { acceptsName: (at, correct) => correct || endsLikeWildcard(at) },
    symptom: 'accepted the message',
  },
  {
    name: 'demands the certificate of a partner from everybody',
    requirement: 'EXO-FRC-15',
    receiver: {
      connector: ({ flow }, correct) => ({
        ...{ from: '*', ...flow.inbound.find(({ clientCertificate }) => clientCertificate) },
        ...{ ...correct, tls: 'required' },
      }),
    },
    symptom: 'refused the message at MAIL',
    explains: ['EXO-FRC-11', 'RFC3207-02'],
  },
  {
    name: 'forces TLS towards a domain that only an inbound connector names',
    requirement: 'EXO-CON-01',
    sender: {
      level: ({ flow, domain }, correct) =>
        correct === 'opportunistic' && decisive(flow.inbound, domain)?.tls === 'required'
          ? 'encryption-only'
          : correct,
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'takes MAIL and RCPT in clear and refuses at DATA',
    requirement: 'RFC3207-05',
    receiver: {
      replyInstead: ({ verb }, correct) => (/^(MAIL|RCPT)$/.test(verb) ? undefined : correct),
      refusalOfSender: (at, correct) => (missesTls(at) ? undefined : correct),
    },
    symptom: 'the reply is 250',
  },
  {
    name: 'answers 530 to MAIL from everybody',
    requirement: 'EXO-OPP-07',
    receiver: { connector: (_, correct) => ({ from: '*', ...correct, tls: 'required' }) },
    symptom: 'refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'offers STARTTLS without a certificate and resets the connection',
    requirement: 'RFC3207-01',
    receiver: {
      keywords: ({ tls }, correct) =>
        tls || correct.includes('STARTTLS') ? correct : [...correct, 'STARTTLS'],
      replyToStarttls: (_, correct) => (correct.startsWith('454') ? GO_AHEAD : correct),
      answersHello: ({ flow }, correct) => (flow.identity.certificate ? correct : 'with a reset'),
    },
    symptom: 'offers STARTTLS and',
  },
  {
    name: 'offers STARTTLS with a parameter',
    requirement: 'RFC3207-01',
    receiver: {
      keywords: (_, correct) => correct.map(line => (line === 'STARTTLS' ? 'STARTTLS required' : line)),
    },
    symptom: 'offers STARTTLS with a parameter',
  },
  {
    name: 'answers 530 to every MAIL in clear',
    requirement: 'RFC3207-04',
    receiver: { connector: (_, correct) => ({ from: '*', ...correct, tls: 'required' }) },
    symptom: 'refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'answers 235 to a password in clear',
    requirement: 'RFC8314-02',
    receiver: { mechanisms: ({ tls }, correct) => (tls ? correct : ['PLAIN']) },
    symptom: 'an unencrypted login succeeds',
  },
  {
    name: 'tells in clear which password was right',
    requirement: 'RFC8314-02',
    receiver: {
      mechanisms: ({ tls }, correct) => (tls ? correct : ['PLAIN']),
      replyToLogin: ({ tls, right }, correct) => (right && !tls ? '538 5.7.11 Not without TLS' : correct),
    },
    symptom: 'tells which password was right',
  },
  {
    name: 'stores a message that it refuses after the dot',
    requirement: 'EXO-FRC-11',
    receiver: {
      refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined),
      replyToMessage: ({ tls, connector }, correct) =>
        correct && !tls && connector?.tls === 'required' ? '550 5.7.10 Not without TLS' : correct,
    },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'checks only the first sender of a session',
    requirement: 'EXO-FRC-11',
    receiver: { refusalOfSender: ({ senders }, correct) => (senders > 0 ? undefined : correct) },
    symptom: 'accepted the unencrypted message',
  },
  {
    name: 'has no connector for a sender in capitals',
    requirement: 'EXO-FRC-11',
    receiver: { connector: ({ domain }, correct) => (domain === domain.toLowerCase() ? correct : undefined) },
    symptom: 'accepted the unencrypted message',
  },
  {
    name: 'accepts a client that is asked for a certificate and shows none',
    requirement: 'EXO-FRC-12',
    receiver: { refusalOfSender: ({ tls }, correct) => (tls && !tls.certificate ? undefined : correct) },
    symptom: 'accepted the message',
  },
  {
    name: 'expects a certificate in TLS sessions only',
    requirement: 'EXO-FRC-12',
    receiver: {
      refusalOfSender: ({ tls, connector }, correct) =>
        !tls && connector?.clientCertificate ? undefined : correct,
    },
    symptom: 'accepted the message',
  },
  {
    name: 'expects no certificate from an address that showed one before',
    requirement: 'EXO-FRC-12',
    receiver: {
      refusalOfSender: ({ tls, addressAuthenticated }, correct) =>
        tls && addressAuthenticated ? undefined : correct,
    },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts any client whose name begins like the expected name',
    requirement: 'EXO-FRC-13',
    receiver: { acceptsName: (at, correct) => correct || goesOnBehind(at) },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts a client with the name that another connector expects',
    requirement: 'EXO-FRC-13',
    receiver: {
      acceptsName: ({ flow, certificate }) =>
        flow.inbound.some(({ clientCertificate: name }) => name && carries(certificate.names, name)),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'chooses the connector by the name in EHLO',
    requirement: 'EXO-FRC-15',
    receiver: { connector: ({ flow, helo }) => decisive(flow.inbound, helo) },
    symptom: 'accepted the message',
  },
  {
    name: 'answers 530 without its status',
    requirement: 'RFC3207-05',
    receiver: { replyInstead: (_, correct) => correct && '530 Start TLS first' },
    symptom: 'the reply has status none',
  },
  {
    name: 'answers 530 to NOOP as well',
    requirement: 'RFC3207-05',
    receiver: { replyInstead: (at, correct) => (at.verb === 'NOOP' && missesTls(at) ? TLS_FIRST : correct) },
    symptom: 'the reply is 530',
  },
  {
    name: 'accepts mail in clear and throws it away',
    requirement: 'RFC3207-04',
    receiver: { stored: ({ tls, role }, correct) => (tls || role === 'submission' ? correct : undefined) },
    symptom: 'accepted the message and lost it',
    waits: true,
  },
  {
    name: 'lets AUTH LOGIN through in clear',
    requirement: 'RFC8314-02',
    receiver: { mechanisms: ({ tls }, correct) => (tls ? correct : ['LOGIN']) },
    symptom: 'an unencrypted login succeeds',
  },
  {
    name: 'takes forced mail in clear on a connection on which a handshake has failed',
    requirement: 'EXO-FRC-11',
    receiver: {
      goesOnInClear: () => true,
      refusalOfSender: ({ tls, hello }, correct) => (!tls && hello ? undefined : correct),
    },
    symptom: 'the gateway accepted the message',
  },
  {
    name: 'stores mail that it refuses because the client shows no certificate',
    requirement: 'EXO-FRC-12',
    receiver: storesRefused(({ tls }) => tls !== undefined && !tls.certificate),
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'stores mail that it refuses because the certificate names another domain',
    requirement: 'EXO-FRC-13',
    receiver: storesRefused(({ tls }) => tls?.certificate?.names.includes('mail.other.test') ?? false),
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'relays for everybody who writes its own domain into the address of the sender',
    requirement: 'EXO-HYB-01',
    receiver: { relays: ({ sender, flow }) => sender.endsWith(`@${flow.domain}`) },
    symptom: 'accepted the message',
  },
  {
    name: 'relays for everybody with the expected name in a certificate, whoever issued it',
    requirement: 'EXO-HYB-01',
    receiver: {
      relays: ({ tls, flow }, correct) => correct || carries(tls?.certificate?.names ?? [], flow.relay ?? ''),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'relays for every certificate of an authority that it trusts',
    requirement: 'EXO-HYB-02',
    receiver: {
      relays: ({ tls }, correct) => correct || (tls?.certificate !== undefined && !tls.chainError),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'goes on to relay for the name that a server had before',
    requirement: 'EXO-HYB-02',
    receiver: {
      relays: ({ tls, flow }, correct) =>
        correct || (!tls?.chainError && carries(tls?.certificate?.names ?? [], `onpremises.${flow.domain}`)),
    },
    symptom: 'accepted the message',
  },
]
