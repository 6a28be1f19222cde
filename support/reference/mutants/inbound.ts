import { decisive } from '../../mailflow/mail-flow.ts'
import { onlyWhere } from '../decisions/defect.ts'
import { GO_AHEAD, missesTls, TLS_FIRST } from '../decisions/receiver.ts'
import { carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { goesOnBehind, isFromServer } from './shared.ts'

export const INBOUND: readonly Mutant[] = [
  {
    name: 'takes mail in clear and only adds a header',
    requirement: 'EXO-FRC-11',
    receiver: {
      refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined),
      stored: ({ tls, connector }, correct) =>
        correct && !tls && connector?.tls === 'required' ? `X-Transport: in clear\r\n${correct}` : correct,
    },
    symptom: 'accepted the message in clear',
  },
  {
    name: 'never asks for a certificate and lets any TLS session in',
    requirement: 'EXO-FRC-12',
    receiver: {
      tls: (_, correct) => ({ ...correct, asksForCertificate: false }),
      refusalOfSender: ({ tls }, correct) => (tls ? undefined : correct),
    },
    symptom: 'never asked for a certificate',
    breaksControl: true,
  },
  {
    name: 'lets any certificate of a trusted authority in',
    requirement: 'EXO-FRC-13',
    receiver: { acceptsName: () => true },
    symptom: 'accepted the message',
  },
  {
    name: 'compares the expected wildcard by its letters',
    requirement: 'EXO-FRC-13',
    receiver: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || certificate.names.some(name => name.endsWith(expected.slice(2))),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'demands the certificate of a partner from everybody',
    requirement: 'EXO-FRC-15',
    receiver: onlyWhere(isFromServer, {
      connector: ({ flow }, correct) => ({
        from: '*',
        ...flow.inbound.find(({ clientCertificate }) => clientCertificate),
        ...correct,
        tls: 'required',
      }),
    }),
    symptom: 'refused the message at MAIL',
    explains: ['EXO-FRC-11', 'RFC3207-02'],
  },
  {
    name: 'forces replies to a partner that only sends over TLS',
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
    receiver: onlyWhere(isFromServer, {
      connector: (_, correct) => ({ from: '*', ...correct, tls: 'required' }),
    }),
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
    symptom: 'STARTTLS is offered and',
  },
  {
    name: 'offers STARTTLS with a parameter',
    requirement: 'RFC3207-01',
    receiver: {
      keywords: (_, correct) => correct.map(line => (line === 'STARTTLS' ? 'STARTTLS required' : line)),
    },
    symptom: 'offered with a parameter',
    breaksControl: true,
  },
  {
    name: 'answers 530 to every MAIL in clear',
    requirement: 'RFC3207-04',
    receiver: onlyWhere(isFromServer, {
      connector: (_, correct) => ({ from: '*', ...correct, tls: 'required' }),
    }),
    symptom: 'refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'answers 235 to a password in clear',
    requirement: 'RFC8314-02',
    receiver: { mechanisms: () => ['PLAIN'] },
    symptom: 'an unencrypted login succeeds',
  },
  {
    name: 'tells in clear which password was right',
    requirement: 'RFC8314-02',
    receiver: {
      mechanisms: () => ['PLAIN'],
      replyToLogin: ({ tls, right }, correct) => (right && !tls ? '538 5.7.11 Not without TLS' : correct),
    },
    symptom: 'tells which password was right',
  },
  {
    name: 'stores what it refuses after the dot',
    requirement: 'EXO-FRC-11',
    receiver: {
      refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined),
      replyToMessage: ({ tls, connector }, correct) =>
        correct && !tls && connector?.tls === 'required' ? '550 5.7.10 Not without TLS' : correct,
    },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'looks at the first sender of a session alone',
    requirement: 'EXO-FRC-11',
    receiver: { refusalOfSender: ({ senders }, correct) => (senders > 0 ? undefined : correct) },
    symptom: 'accepted the message in clear',
  },
  {
    name: 'has no connector for a sender in capitals',
    requirement: 'EXO-FRC-11',
    receiver: { connector: ({ domain }, correct) => (domain === domain.toLowerCase() ? correct : undefined) },
    symptom: 'accepted the message in clear',
  },
  {
    name: 'lets in who answers the question for a certificate with none',
    requirement: 'EXO-FRC-12',
    receiver: { refusalOfSender: ({ tls }, correct) => (tls && !tls.certificate ? undefined : correct) },
    symptom: 'accepted the message',
  },
  {
    name: 'looks for a certificate in TLS sessions alone',
    requirement: 'EXO-FRC-12',
    receiver: {
      refusalOfSender: ({ tls, connector }, correct) =>
        !tls && connector?.clientCertificate ? undefined : correct,
    },
    symptom: 'accepted the message',
  },
  {
    name: 'remembers an address that once showed a certificate',
    requirement: 'EXO-FRC-12',
    receiver: {
      refusalOfSender: ({ tls, addressAuthenticated }, correct) =>
        tls && addressAuthenticated ? undefined : correct,
    },
    symptom: 'accepted the message',
  },
  {
    name: 'takes a name that goes on behind the expected one',
    requirement: 'EXO-FRC-13',
    receiver: { acceptsName: (at, correct) => correct || goesOnBehind(at) },
    symptom: 'accepted the message',
  },
  {
    name: 'takes the name of any partner for the expected one',
    requirement: 'EXO-FRC-13',
    receiver: {
      acceptsName: ({ flow, certificate }, correct) =>
        correct ||
        flow.inbound.some(
          ({ clientCertificate }) =>
            clientCertificate !== undefined && carries(certificate.names, clientCertificate),
        ),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'takes a sender for whom it says EHLO to be',
    requirement: 'EXO-FRC-15',
    receiver: {
      connector: ({ role, flow, helo }, correct) =>
        role === 'inbound' ? decisive(flow.inbound, helo) : correct,
    },
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
    name: 'throws away what came in clear',
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
]
