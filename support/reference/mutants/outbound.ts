import { covers, levelFor, OUTBOUND_LEVELS } from '../../mailflow/mail-flow.ts'
import type { Defect } from '../decisions/defect.ts'
import type { QueueSituation } from '../decisions/queue.ts'
import type { Mutant } from './mutant.ts'
import {
  bouncedIfDeferred,
  despite,
  ISSUER_WITHOUT_CA_FLAG,
  isHandshakeFailure,
  returnsAfter,
  UNKNOWN_ISSUER,
  waitsUnexplained,
} from './shared.ts'

/** A host that had no TLS once is taken never to have it. */
const REMEMBERS_HOSTS_WITHOUT_TLS: Defect = {
  sender: {
    usesTls: ({ host }) => !host.lackedTls,
    hosts: ({ level, hosts }) =>
      level === 'opportunistic' ? hosts : hosts.filter(({ lackedTls }) => !lackedTls),
  },
  queue: { result: ({ attempt }, correct) => (attempt > 1 ? bouncedIfDeferred(correct) : correct) },
}

/** Opportunistic mail waits after a broken handshake: there is no second connection in the clear. */
const WAITS_AFTER_BROKEN_HANDSHAKE: Defect['sender'] & object = {
  mayGoInClear: ({ why }, correct) => correct && !isHandshakeFailure(why),
}

const handshakeFailed = ({ results }: QueueSituation): boolean =>
  results.some(({ tlsFailure }) => isHandshakeFailure(tlsFailure))

export const OUTBOUND: readonly Mutant[] = [
  {
    name: 'delivers forced mail in clear without STARTTLS',
    requirement: 'EXO-FRC-01',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no STARTTLS' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'delivers forced mail in clear from the second attempt on',
    requirement: 'EXO-FRC-01',
    sender: { mayGoInClear: ({ attempt }, correct) => correct || attempt > 1 },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'returns held mail because the host once had no TLS',
    requirement: 'EXO-FRC-04',
    ...REMEMBERS_HOSTS_WITHOUT_TLS,
    symptom: 'did not arrive: bounced',
  },
  {
    name: 'forces TLS for domains without a connector',
    requirement: 'EXO-FRC-05',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    symptom: 'did not arrive: deferred',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'forces TLS for sub-domains that no wildcard names',
    requirement: 'EXO-FRC-05',
    sender: {
      connector: ({ flow, domain }, correct) =>
        correct ?? flow.outbound.find(({ to }) => domain.endsWith(`.${to}`)),
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'validates the chain at the level encryption-only',
    requirement: 'EXO-FRC-06',
    sender: { checks: ({ level }, correct) => (level === 'encryption-only' ? ['chain'] : correct) },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'delivers in clear at the level encryption-only',
    requirement: 'EXO-FRC-06',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no STARTTLS' },
    symptom: 'arrived unencrypted',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'checks the issuer of a certificate and not its dates',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: despite(/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'checks the dates of a certificate and not its issuer',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: despite(UNKNOWN_ISSUER) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'demands TLS of senders that only its outbound connectors name',
    requirement: 'EXO-CON-02',
    receiver: {
      connector: ({ flow, domain }, correct) =>
        levelFor(flow.outbound, domain) === 'opportunistic'
          ? correct
          : { from: domain, ...correct, tls: 'required' },
    },
    symptom: 'refused the message at MAIL: 530',
  },
  {
    name: 'uses the first connector that fits',
    requirement: 'EXO-CON-04',
    sender: { connector: ({ flow, domain }) => flow.outbound.find(({ to }) => covers(to, domain)) },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'starts TLS only on the first of several connections to a host at the same time',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ level, besides }) => level !== 'opportunistic' || besides === 0 },
    symptom: /(MAIL crossed the wire|arrived) unencrypted/,
  },
  {
    name: 'sends MAIL right after the first EHLO',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ level }) => level !== 'opportunistic' },
    symptom: 'arrived unencrypted',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'defers opportunistic mail where STARTTLS is not offered',
    requirement: 'EXO-OPP-04',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'returns opportunistic mail where STARTTLS is not offered',
    requirement: 'EXO-OPP-04',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    queue: { result: (_, correct) => bouncedIfDeferred(correct) },
    symptom: 'did not arrive: bounced',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'waits before it sends in clear',
    requirement: 'EXO-OPP-04',
    sender: { delayBeforeMail: ({ tls }) => (tls ? 0 : 12_000) },
    symptom: 'the gateway waited 12',
    waits: true,
  },
  {
    name: 'reconnects in clear after a certificate that it cannot verify',
    requirement: 'EXO-OPP-05',
    sender: { checks: ({ level }, correct) => (level === 'opportunistic' ? ['chain'] : correct) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'drops the message after a failed handshake and tells nobody',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: {
      result: (_, correct) => (isHandshakeFailure(correct.tlsFailure) ? bouncedIfDeferred(correct) : correct),
      notifies: (at, correct) => correct && !handshakeFailed(at),
    },
    symptom: 'instead of keeping it queued',
  },
  {
    name: 'goes on in clear on the connection whose handshake failed',
    requirement: 'EXO-OPP-06',
    sender: {
      bytesOutsideTls: ({ moment, sender }) => (moment === 'no handshake' ? `MAIL FROM:<${sender}>\r\n` : ''),
    },
    symptom: 'after the go-ahead to STARTTLS the gateway sent',
  },
  {
    name: 'sends all copies in clear because one partner has no TLS',
    requirement: 'EXO-OPP-08',
    sender: {
      domainsToProbe: ({ domains }) => (domains.length > 1 ? domains : []),
      usesTls: ({ probed }) => probed.every(({ offersTls }) => offersTls),
    },
    symptom: 'first: the message arrived unencrypted',
  },
  {
    name: 'holds all copies because one is forced',
    requirement: 'EXO-OPP-08',
    sender: { level: ({ levels }) => OUTBOUND_LEVELS.findLast(level => levels.includes(level))! },
    symptom: 'second: the message did not arrive',
  },
  {
    name: 'gives up after the first mail exchanger',
    requirement: 'RFC5321-01',
    sender: { hosts: ({ hosts }) => hosts.slice(0, 1) },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'prefers mail exchangers with STARTTLS',
    requirement: 'RFC5321-01',
    sender: {
      domainsToProbe: ({ domain, hosts }) => (hosts.length > 1 ? [domain] : []),
      hosts: ({ probed }, correct) => {
        const withTls = probed.filter(({ offersTls }) => offersTls)
        return [...new Set([...withTls, ...correct])]
      },
    },
    symptom: 'arrived over TLS, not unencrypted',
  },
  {
    name: 'returns the message at the first trouble with TLS',
    requirement: 'RFC5321-02',
    queue: { result: (_, correct) => bouncedIfDeferred(correct) },
    symptom: /instead of keeping it queued|did not arrive: bounced/,
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'notifies where there is no return path',
    requirement: 'RFC5321-02',
    queue: { author: ({ content }, correct) => correct || (/^Reply-To: <(.*)>/im.exec(content)?.[1] ?? '') },
    symptom: 'the gateway sent a notification',
  },
  {
    name: 'does not notify the author',
    requirement: 'RFC5321-02',
    queue: { notifies: () => false },
    symptom: 'did not tell its author',
    waits: true,
  },
  {
    name: 'notifies the author at every attempt',
    requirement: 'RFC5321-02',
    queue: { notifies: ({ results }) => results.some(({ kind }) => kind !== 'delivered') },
    symptom: /got \d notifications/,
  },
  {
    name: 'remembers 454 as a host without TLS',
    requirement: 'RFC3207-03',
    ...REMEMBERS_HOSTS_WITHOUT_TLS,
    symptom: 'arrived unencrypted',
  },
  {
    name: 'delivers forced mail in clear after 454 to STARTTLS',
    requirement: 'RFC3207-03',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS refused' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'names the sender in clear before it gives up',
    requirement: 'EXO-FRC-01',
    sender: { commandsBeforeGivingUp: ({ tls, sender }) => (tls ? [] : [`MAIL FROM:<${sender}>`]) },
    symptom: 'MAIL crossed the wire unencrypted',
  },
  {
    name: 'forgets deferred mail',
    requirement: 'EXO-FRC-04',
    queue: { nextAttemptIn: () => undefined },
    symptom: 'did not arrive: deferred',
    waits: true,
  },
  {
    name: 'delivers deferred mail twice',
    requirement: 'EXO-FRC-04',
    sender: { sendsAgainOverTls: ({ delivered, attempt }) => delivered && attempt > 1 },
    symptom: /arrived (again|2 times)/,
  },
  {
    name: 'ignores connectors for a single domain',
    requirement: 'EXO-FRC-05',
    sender: { connector: (_, correct) => (correct?.to.startsWith('*') ? correct : undefined) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'has no connector for a domain in capitals',
    requirement: 'EXO-FRC-05',
    sender: { connector: ({ domain }, correct) => (domain === domain.toLowerCase() ? correct : undefined) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'compares names at the level encryption-only',
    requirement: 'EXO-FRC-06',
    sender: { checks: ({ level }, correct) => (level === 'encryption-only' ? ['name'] : correct) },
    symptom: /did not arrive: deferred .* its certificate names/,
  },
  {
    name: 'accepts a certificate that is not valid yet',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: despite(/^CERT_NOT_YET_VALID$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts self-signed certificates',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: despite(/^DEPTH_ZERO_SELF_SIGNED_CERT$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts a certificate whose issuer is no authority',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: despite(ISSUER_WITHOUT_CA_FLAG) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'delivers validated mail in clear where STARTTLS is not offered',
    requirement: 'EXO-FRC-07',
    sender: {
      mayGoInClear: ({ why, validates }, correct) => correct || (validates && why === 'no STARTTLS'),
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'looks on an extra connection whether STARTTLS is offered',
    requirement: 'EXO-OPP-04',
    sender: { domainsToProbe: ({ domain }) => [domain] },
    symptom: 'used 2 connections',
  },
  {
    name: 'defers opportunistic mail because of a certificate',
    requirement: 'EXO-OPP-05',
    sender: {
      checks: ({ level }, correct) => (level === 'opportunistic' ? ['chain'] : correct),
      mayGoInClear: ({ why }, correct) => correct && why !== 'certificate not accepted',
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'forgets a message after a failed handshake',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: { nextAttemptIn: (at, correct) => (handshakeFailed(at) ? undefined : correct) },
    symptom: 'did not arrive: deferred',
    waits: true,
  },
  {
    name: 'calls a message delivered after a failed handshake',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: {
      result: (_, correct) =>
        isHandshakeFailure(correct.tlsFailure) ? { ...correct, kind: 'delivered' } : correct,
    },
    symptom: 'says delivered, but nothing arrived',
  },
  {
    name: 'names all recipients to each partner',
    requirement: 'EXO-OPP-08',
    sender: { recipientsToName: ({ allRecipients }) => allRecipients },
    symptom: 'was told of a recipient of another',
  },
  {
    name: 'tries mail exchangers from the last to the first',
    requirement: 'RFC5321-01',
    sender: { hosts: ({ hosts }) => hosts.toReversed() },
    symptom: 'the message arrived at mail exchanger 3, not 1',
  },
  {
    name: 'validates only the first mail exchanger',
    requirement: 'RFC5321-01',
    sender: { checks: ({ position }, correct) => (position > 0 ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends mail without return path in clear',
    requirement: 'RFC5321-02',
    sender: { level: ({ nullSender }, correct) => (nullSender ? 'opportunistic' : correct) },
    symptom: 'the message arrived',
  },
  {
    name: 'never gives up',
    requirement: 'RFC5321-02',
    queue: { result: ({ result }) => result },
    symptom: 'is still queued',
  },
  {
    name: 'notifies with a return path',
    requirement: 'RFC5321-02',
    queue: { returnPath: ({ flow }) => `postmaster@${flow.domain}` },
    symptom: 'the notification has the return path',
  },
  {
    name: 'delivers forced mail after HELO where EHLO is not known',
    requirement: 'EXO-FRC-01',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'no EHLO' },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'ends a session whose certificate it does not accept and goes on in clear',
    requirement: 'EXO-FRC-07',
    sender: { goesOnInClear: ({ validates, why }) => validates && why === 'certificate not accepted' },
    symptom: 'crossed the wire unencrypted',
  },
  {
    name: 'sends in clear at later attempts',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ attempt, level }) => attempt === 1 || level !== 'opportunistic' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'sends in clear to a host that had TLS before',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ host, level }) => !host.hadTls || level !== 'opportunistic' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'sends in clear to a host with which a handshake failed before',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ host, level }) => !host.brokeTls || level !== 'opportunistic' },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'goes on in clear where an opportunistic handshake failed and the connection stayed open',
    requirement: 'EXO-OPP-06',
    sender: { goesOnInClear: ({ level, why }) => level === 'opportunistic' && why === 'handshake failed' },
    symptom: 'after the go-ahead to STARTTLS the gateway sent',
  },
  {
    name: 'sends nothing to others because one partner does not answer',
    requirement: 'EXO-OPP-08',
    queue: { stopsAtFirstFailure: () => true },
    symptom: 'made no connection to the partner',
    waits: true,
  },
  {
    name: 'returns the copy at once that waits for TLS',
    requirement: 'EXO-OPP-08',
    queue: returnsAfter('no STARTTLS'),
    symptom: 'instead of keeping it queued',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'returns replies at once that wait for TLS',
    requirement: 'EXO-CON-02',
    queue: returnsAfter('no STARTTLS'),
    symptom: 'instead of keeping it queued',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'closes without QUIT where STARTTLS is missing',
    requirement: 'EXO-FRC-01',
    sender: { saysQuit: ({ why }) => why !== 'no STARTTLS' },
    symptom: 'the gateway ended the session without QUIT',
  },
  {
    name: 'does not say that forced mail waits for TLS',
    requirement: 'EXO-FRC-01',
    queue: waitsUnexplained('no STARTTLS'),
    symptom: 'its reason does not name TLS',
  },
  {
    name: 'does not say that mail waits for a certificate that it can trust',
    requirement: 'EXO-FRC-07',
    queue: waitsUnexplained('certificate not accepted'),
    symptom: 'its reason does not name the certificate',
  },
  {
    name: 'gives up after failed handshakes and tells nobody',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: { notifies: (at, correct) => correct && !handshakeFailed(at) },
    symptom: 'did not tell its author',
    waits: true,
  },
  {
    name: 'returns mail that waited for TLS without the reason',
    requirement: 'EXO-FRC-03',
    queue: {
      result: (_, correct) =>
        correct.kind === 'bounced' && correct.tlsFailure
          ? { ...correct, reason: 'the message could not be delivered in time' }
          : correct,
    },
    symptom: 'does not give TLS as the reason',
  },
  {
    name: 'returns mail without the reason if the handshake failed at the last attempt',
    requirement: 'EXO-FRC-03',
    queue: {
      result: (_, correct) =>
        correct.kind === 'bounced' && correct.tlsFailure === 'handshake failed'
          ? { ...correct, reason: 'the other server did not answer as expected' }
          : correct,
    },
    symptom: 'does not give TLS as the reason',
  },
  {
    name: 'sends mail that waited for TLS unencrypted at the last attempt',
    requirement: 'EXO-FRC-03',
    sender: { mayGoInClear: ({ attempt, flow }, correct) => correct || attempt >= flow.attempts },
    symptom: 'the message arrived',
  },
]
