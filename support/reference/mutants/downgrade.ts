import type { Mutant } from './mutant.ts'
import { isBroken, LOGIN } from './shared.ts'

const unfinishedLine = (bytes: string): string => bytes.slice(bytes.lastIndexOf('\n') + 1)

export const DOWNGRADE: readonly Mutant[] = [
  {
    name: 'executes inside TLS what came in clear behind STARTTLS',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ bytes }, correct) => ({ ...correct, kept: bytes }) },
    symptom: 'executed inside TLS',
  },
  {
    name: 'lets a smuggled sender count inside TLS',
    requirement: 'RFC3207-07',
    receiver: {
      earlyBytes: ({ bytes }, correct) => ({ ...correct, carriedOut: bytes.split('\r\n').slice(0, -1) }),
      forgets: ({ event }) => event !== 'handshake',
    },
    symptom: 'the smuggled sender counts inside TLS',
  },
  {
    name: 'finishes inside TLS a command that was begun in clear',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ bytes }, correct) => ({ ...correct, kept: unfinishedLine(bytes) }) },
    symptom: 'the first answer inside TLS is not the one to EHLO',
  },
  {
    name: 'takes a smuggled reply for the answer to EHLO inside TLS',
    requirement: 'RFC3207-08',
    sender: { earlyBytes: ({ bytes }) => bytes },
    symptom: 'it went on before the answer inside TLS',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and uses it',
    requirement: 'RFC3207-08',
    sender: {
      earlyBytes: ({ bytes }) => unfinishedLine(bytes),
      commandsInsideTls: ({ reply }) => (reply.some(line => line.startsWith('AUTH')) ? [LOGIN] : []),
    },
    symptom: 'it used the smuggled line: AUTH',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and is one answer ahead',
    requirement: 'RFC3207-08',
    sender: { earlyBytes: ({ bytes }) => unfinishedLine(bytes) },
    symptom: 'took one answer for another',
  },
  {
    name: 'delivers forced mail in clear where STARTTLS was removed',
    requirement: 'DGR-01',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is not offered' },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'holds opportunistic mail where STARTTLS was removed',
    requirement: 'DGR-01',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    symptom: 'did not arrive: deferred',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'takes a refused STARTTLS for leave to send forced mail in clear',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is refused' },
    symptom: 'arrived in clear',
  },
  {
    name: 'delivers forced mail in clear where the keyword was garbled',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is not offered' },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'calls encryption with anybody validated',
    requirement: 'DGR-03',
    sender: { checks: () => [] },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09'],
  },
  {
    name: 'falls through to the last mail exchanger and delivers in clear',
    requirement: 'EXO-FRC-02',
    sender: {
      mayGoInClear: ({ position, hosts }, correct) => correct || (hosts > 1 && position === hosts - 1),
    },
    symptom: 'arrived in clear',
  },
  {
    name: 'tries again in clear after a broken handshake',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || isBroken(why) },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'loses patience with forced TLS at the third attempt',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ attempt }, correct) => correct || attempt > 2 },
    symptom: 'arrived in clear',
  },
  {
    name: 'stores the fragment of a message',
    requirement: 'DGR-05',
    receiver: { stored: ({ content }) => content },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'takes a cut connection for a delivery',
    requirement: 'DGR-05',
    sender: { isDelivered: ({ code }, correct) => correct || code === undefined },
    symptom: 'says delivered, but nothing arrived',
  },
  {
    name: 'executes what came behind a STARTTLS in mixed case',
    requirement: 'RFC3207-07',
    receiver: {
      earlyBytes: ({ line, bytes }, correct) =>
        line.startsWith('STARTTLS') ? correct : { ...correct, kept: bytes },
    },
    symptom: 'executed inside TLS',
  },
  {
    name: 'relies on it that a partner still has TLS',
    requirement: 'DGR-01',
    sender: { mayGoInClear: ({ host }, correct) => correct || host.hadTls },
    symptom: 'arrived in clear',
  },
  {
    name: 'reconnects in clear when STARTTLS is answered by closing',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'the connection is closed' },
    symptom: 'arrived in clear',
  },
  {
    name: 'has nothing to validate without TLS, and delivers',
    requirement: 'DGR-03',
    sender: {
      mayGoInClear: ({ why, level }, correct) =>
        correct || (why === 'STARTTLS is not offered' && level !== 'encryption-only'),
    },
    symptom: 'arrived in clear',
  },
  {
    name: 'gives validation up with the handshake',
    requirement: 'DGR-03',
    sender: {
      mayGoInClear: ({ why, level }, correct) => correct || (isBroken(why) && level !== 'encryption-only'),
    },
    symptom: 'arrived in clear',
  },
  {
    name: 'validates at the first attempt alone',
    requirement: 'DGR-03',
    sender: { checks: ({ attempt }, correct) => (attempt > 1 ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'validates a partner once and for all',
    requirement: 'DGR-03',
    sender: { checks: ({ host }, correct) => (host.hadTls ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends in clear what was cut',
    requirement: 'DGR-05',
    sender: { usesTls: ({ cutBefore }) => !cutBefore },
    symptom: 'crossed the wire in clear',
  },
  {
    name: 'sends the rest alone after a cut',
    requirement: 'DGR-05',
    sender: {
      contentToSend: ({ content, cutBefore }) => (cutBefore ? content.slice(content.length / 2) : content),
    },
    symptom: 'says delivered, but nothing arrived',
  },
  {
    name: 'sends large messages in clear',
    requirement: 'DGR-05',
    sender: { usesTls: ({ size }) => size <= 100_000 },
    symptom: 'crossed the wire in clear',
    breaksControl: true,
  },
]
