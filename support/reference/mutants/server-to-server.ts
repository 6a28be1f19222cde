import { onlyWhere } from '../decisions/defect.ts'
import type { SenderSituation } from '../decisions/sender.ts'
import { LIBRARY_SUITES, SUITES } from '../tls-options.ts'
import type { Mutant } from './mutant.ts'
import { despite, isAmongOwnServers, isHandshakeFailure, returnsAfter } from './shared.ts'

const parentOf = (domain: string): string => domain.slice(domain.indexOf('.') + 1)

/** Domains under one parent are those of one organisation. */
const isOwnOrganisation = ({ domain, flow }: Pick<SenderSituation, 'domain' | 'flow'>): boolean =>
  domain !== flow.domain && parentOf(domain) === parentOf(flow.domain)

export const SERVER_TO_SERVER: readonly Mutant[] = [
  {
    name: 'requires TLS only where it sends',
    requirement: 'EXO-CON-03',
    receiver: { refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined) },
    symptom: 'accepted the unencrypted message',
    explains: ['EXO-FRC-11'],
  },
  {
    name: 'requires TLS only where it receives',
    requirement: 'EXO-CON-03',
    sender: {
      mayGoInClear: ({ why, flow, domain }, correct) =>
        correct ||
        (why === 'no STARTTLS' && flow.inbound.some(({ from }) => from === `*.${parentOf(domain)}`)),
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'sends to its own servers only in clear where STARTTLS is missing',
    requirement: 'EXO-CON-03',
    sender: onlyWhere(isAmongOwnServers, {
      mayGoInClear: ({ why }, correct) => correct || why === 'no STARTTLS',
    }),
    symptom: 'reference and reference: the message arrived unencrypted',
  },
  {
    name: 'relays notifications in clear between its own servers',
    requirement: 'EXO-S2S-01',
    sender: { usesTls: ({ nullSender }) => !nullSender },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'sends a second copy to its own servers in clear, a little later',
    requirement: 'EXO-S2S-01',
    sender: { sendsAgainInClear: ({ delivered, tls }) => delivered && tls !== undefined },
    // On a slow machine the copy arrives while the example still looks.
    symptom: /^reference to reference: the message .* unencrypted/,
    explains: ['EXO-OPP-04', 'EXO-FRC-01'],
  },
  {
    name: 'offers TLS 1.0 and up between its own servers',
    requirement: 'EXO-S2S-02',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1' }) },
    symptom: 'the message arrived over TLS',
  },
  {
    name: 'takes TLS 1.1 from its own servers',
    requirement: 'EXO-S2S-02',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: 'the handshake succeeded with TLS 1.1',
  },
  {
    name: 'offers TLS 1.3 between servers that are to use TLS 1.2',
    requirement: 'EXO-S2S-02',
    sender: { tls: (_, correct) => ({ ...correct, maxVersion: undefined }) },
    symptom: 'arrived over TLS 1.3, not TLS 1.2',
  },
  {
    name: 'takes TLS 1.3 from servers that are to use TLS 1.2',
    requirement: 'EXO-S2S-02',
    receiver: { tls: (_, correct) => ({ ...correct, maxVersion: undefined }) },
    symptom: 'accepted the message over TLS 1.3, not TLS 1.2',
  },
  {
    name: 'sends in clear to domains of its own organisation',
    requirement: 'EXO-S2S-03',
    sender: { usesTls: at => !isOwnOrganisation(at) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'hides in its Received lines that a hop was encrypted',
    requirement: 'EXO-S2S-03',
    words: { receivedTls: () => undefined },
    symptom: 'came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'offers key exchange by RSA between its own servers',
    requirement: 'EXO-S2S-04',
    sender: { tls: (_, correct) => ({ ...correct, suites: SUITES }) },
    symptom: 'the message arrived over TLS',
  },
  {
    name: 'takes key exchange by RSA from its own servers',
    requirement: 'EXO-S2S-04',
    receiver: { tls: (_, correct) => ({ ...correct, suites: LIBRARY_SUITES }) },
    symptom: 'the handshake succeeded with TLS 1.2',
  },
  {
    name: 'treats its own servers opportunistically',
    requirement: 'EXO-S2S-05',
    sender: { level: (at, correct) => (isOwnOrganisation(at) ? 'opportunistic' : correct) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'accepts mail of its own servers without TLS',
    requirement: 'EXO-S2S-05',
    receiver: { refusalOfSender: ({ tls }, correct) => (tls ? correct : undefined) },
    symptom: 'accepted the unencrypted message',
    explains: ['EXO-FRC-11'],
  },
  {
    name: 'sends in clear to its own servers after the handshake was reset',
    requirement: 'EXO-S2S-05',
    sender: {
      mayGoInClear: ({ why, validates }, correct) => correct || (validates && isHandshakeFailure(why)),
    },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'accepts a self-signed certificate on the path to its own servers',
    requirement: 'EXO-S2S-05',
    sender: { trustsChain: despite(/^DEPTH_ZERO_SELF_SIGNED_CERT$/) },
    symptom: 'the message arrived over TLS',
  },
  {
    name: 'forgets deferred mail for its own servers',
    requirement: 'EXO-S2S-05',
    queue: { nextAttemptIn: () => undefined },
    symptom: 'the message did not arrive: deferred',
    waits: true,
  },
  {
    name: 'delivers deferred mail twice to its own servers',
    requirement: 'EXO-S2S-05',
    sender: { sendsAgainOverTls: ({ delivered, attempt }) => delivered && attempt > 1 },
    symptom: 'reference to reference: the message arrived again, over TLS',
  },
  {
    name: 'sends to its own servers in clear, a little after it has said deferred',
    requirement: 'EXO-S2S-05',
    sender: { sendsAgainInClear: ({ delivered, level }) => !delivered && level !== 'opportunistic' },
    // On a slow machine the copy arrives while the example still looks.
    symptom: /^reference to reference: .* unencrypted/,
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'has another server with older versions',
    requirement: 'BCP-07',
    receiver: { tls: ({ server }, correct) => (server > 1 ? { ...correct, minVersion: 'TLSv1' } : correct) },
    symptom: /asked for TLS 1\.1 alone, .* is the weaker/,
  },
  {
    name: 'has older versions at its IPv6 address',
    requirement: 'BCP-07',
    receiver: {
      tls: ({ localAddress }, correct) =>
        localAddress.includes(':') ? { ...correct, minVersion: 'TLSv1' } : correct,
    },
    symptom: /asked for TLS 1\.1 alone, \[::1\].* is the weaker/,
  },
  {
    name: 'returns mail at once where it also receives with TLS',
    requirement: 'EXO-CON-03',
    queue: returnsAfter('no STARTTLS'),
    symptom: 'instead of keeping it queued',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'accepts a self-signed certificate of a client because its name is right',
    requirement: 'EXO-HYB-03',
    receiver: { trustsChain: despite(/^DEPTH_ZERO_SELF_SIGNED_CERT$/) },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts a self-signed certificate of a partner because its name is right',
    requirement: 'EXO-HYB-03',
    sender: { trustsChain: despite(/^DEPTH_ZERO_SELF_SIGNED_CERT$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'verifies the chain alone where a connector gives a name of its own',
    requirement: 'EXO-HYB-06',
    sender: {
      checks: ({ expected, domain }, correct) =>
        expected === domain.toLowerCase() ? correct : correct.filter(check => check !== 'name'),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'goes without TLS where a connector gives a name and STARTTLS is missing',
    requirement: 'EXO-HYB-06',
    sender: {
      mayGoInClear: ({ why, expected, domain }, correct) =>
        correct || (why === 'no STARTTLS' && expected !== domain.toLowerCase()),
    },
    symptom: 'arrived unencrypted',
  },
]
