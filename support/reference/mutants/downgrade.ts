import type { Mutant } from './mutant.ts'
import { isHandshakeFailure, LOGIN, returnsAfter, waitsUnexplained } from './shared.ts'

const unfinishedLine = (bytes: string): string => bytes.slice(bytes.lastIndexOf('\n') + 1)

export const DOWNGRADE: readonly Mutant[] = [
  {
    name: 'executes inside TLS what came in clear behind STARTTLS',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ bytes }) => bytes },
    symptom: 'executed inside TLS what was smuggled',
  },
  {
    name: 'executes inside TLS a command that came in clear and ended in a bare LF',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ bytes }) => (/[^\r]\n/.test(bytes) ? bytes : '') },
    symptom: 'executed inside TLS what was smuggled',
  },
  {
    name: 'lets a smuggled sender count inside TLS',
    requirement: 'RFC3207-07',
    receiver: {
      earlyCommands: ({ bytes }) => bytes.split('\r\n').slice(0, -1),
      forgets: ({ event }) => event !== 'handshake',
    },
    symptom: 'the smuggled sender counts inside TLS',
  },
  {
    name: 'finishes inside TLS a command that was begun in clear',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ bytes }) => unfinishedLine(bytes) },
    symptom: 'the first reply inside TLS is not the one to EHLO',
  },
  {
    name: 'takes a smuggled reply for the answer to EHLO inside TLS',
    requirement: 'RFC3207-08',
    sender: { earlyBytes: ({ bytes }) => bytes },
    symptom: 'went on before the reply inside TLS',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and uses it',
    requirement: 'RFC3207-08',
    sender: {
      earlyBytes: ({ bytes }) => unfinishedLine(bytes),
      commandsInsideTls: ({ reply }) => (reply.some(line => line.startsWith('AUTH')) ? [LOGIN] : []),
    },
    symptom: 'the gateway used the smuggled line: AUTH',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and takes each reply for the next one',
    requirement: 'RFC3207-08',
    sender: { earlyBytes: ({ bytes }) => unfinishedLine(bytes) },
    symptom: 'took one reply for another',
  },
  {
    name: 'delivers forced mail in clear where STARTTLS was removed',
    requirement: 'DGR-01',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no STARTTLS' },
    symptom: 'arrived unencrypted',
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
    name: 'delivers forced mail in clear where STARTTLS is refused',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS refused' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'goes on with forced mail in clear where STARTTLS is answered with 421',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ refusedWith }, correct) => correct || refusedWith === 421 },
    symptom: 'MAIL crossed the wire unencrypted',
  },
  {
    name: 'delivers forced mail in clear where the keyword was garbled',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no STARTTLS' },
    symptom: 'arrived unencrypted',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'accepts any certificate at every level',
    requirement: 'DGR-03',
    sender: { checks: () => [] },
    symptom: 'arrived over TLS',
  },
  {
    name: 'delivers forced mail in clear to the last mail exchanger',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ position, isLast }, correct) => correct || (position > 0 && isLast) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'tries again in clear after a failed handshake',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || isHandshakeFailure(why) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'delivers forced mail in clear at the third attempt',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ attempt }, correct) => correct || attempt > 2 },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'stores a message whose transfer was cut',
    requirement: 'DGR-05',
    receiver: { stored: ({ content }) => content },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'calls a message delivered whose transfer was cut',
    requirement: 'DGR-05',
    sender: { isDelivered: ({ code }, correct) => correct || code === undefined },
    symptom: 'says delivered, but nothing arrived',
  },
  {
    name: 'executes what came behind a STARTTLS in mixed case',
    requirement: 'RFC3207-07',
    receiver: { earlyBytes: ({ line, bytes }, correct) => (line.startsWith('STARTTLS') ? correct : bytes) },
    symptom: 'executed inside TLS what was smuggled',
  },
  {
    name: 'delivers forced mail in clear to a partner that had TLS before',
    requirement: 'DGR-01',
    sender: { mayGoInClear: ({ host }, correct) => correct || host.hadTls },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'reconnects in clear when STARTTLS is answered by closing',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'connection closed' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'delivers validated mail in clear where STARTTLS is removed',
    requirement: 'DGR-03',
    sender: {
      mayGoInClear: ({ why, validates }, correct) => correct || (validates && why === 'no STARTTLS'),
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'delivers validated mail in clear after a failed handshake',
    requirement: 'DGR-03',
    sender: {
      mayGoInClear: ({ why, validates }, correct) => correct || (validates && isHandshakeFailure(why)),
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'validates certificates at the first attempt only',
    requirement: 'DGR-03',
    sender: { checks: ({ attempt }, correct) => (attempt > 1 ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'validates only the first certificate of a partner',
    requirement: 'DGR-03',
    sender: { checks: ({ host }, correct) => (host.hadTls ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends a message in clear after its transfer was cut',
    requirement: 'DGR-05',
    sender: { usesTls: ({ cutBefore }) => !cutBefore },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'sends only the rest of a message after its transfer was cut',
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
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'goes on in clear where a handshake failed and the connection stayed open',
    requirement: 'EXO-FRC-02',
    sender: { goesOnInClear: ({ level, why }) => level !== 'opportunistic' && why === 'handshake failed' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'delivers forced mail in clear where the handshake is not answered',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no answer' },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'delivers forced mail in clear where TLS ends right after the handshake',
    requirement: 'EXO-FRC-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'session ended' },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'delivers forced mail in clear where STARTTLS is not answered',
    requirement: 'DGR-02',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no answer' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'ends a session with an attacker and goes on in clear',
    requirement: 'DGR-03',
    sender: { goesOnInClear: ({ why }) => why === 'certificate not accepted' },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'goes on in clear with an attacker that breaks the handshake and stays',
    requirement: 'DGR-03',
    sender: { goesOnInClear: ({ validates, why }) => validates && why === 'handshake failed' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'takes the rest of a session in clear after TLS has ended',
    requirement: 'DGR-05',
    receiver: { goesOnInClear: () => true },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'returns forced mail at once after a failed handshake',
    requirement: 'EXO-FRC-02',
    queue: returnsAfter('handshake failed'),
    symptom: 'instead of keeping it queued',
  },
  {
    name: 'returns forced mail at once where STARTTLS was removed',
    requirement: 'DGR-01',
    queue: returnsAfter('no STARTTLS'),
    symptom: 'instead of keeping it queued',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'returns forced mail at once where STARTTLS is refused',
    requirement: 'DGR-02',
    queue: returnsAfter('STARTTLS refused'),
    symptom: 'instead of keeping it queued',
  },
  {
    name: 'returns validated mail at once because of the certificate of an attacker',
    requirement: 'DGR-03',
    queue: returnsAfter('certificate not accepted'),
    symptom: 'instead of keeping it queued',
  },
  {
    name: 'returns mail at once that an attacker keeps from its own servers',
    requirement: 'EXO-S2S-05',
    queue: returnsAfter('certificate not accepted'),
    symptom: 'instead of keeping it queued',
  },
  {
    name: 'does not say that forced mail waits because a handshake failed',
    requirement: 'EXO-FRC-02',
    queue: waitsUnexplained('handshake failed'),
    symptom: 'its reason does not name TLS',
  },
]
