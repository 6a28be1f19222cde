import { covers, decisive, OUTBOUND_LEVELS } from '../../mailflow/mail-flow.ts'
import type { Defect } from '../decisions/defect.ts'
import { onlyWhere } from '../decisions/defect.ts'
import type { Mutant } from './mutant.ts'
import { bouncedIfDeferred, ISSUER_WITHOUT_CA_FLAG, isBroken, isFromServer } from './shared.ts'

/** A host that had no TLS once is taken never to have it. */
const REMEMBERS_HOSTS_WITHOUT_TLS: Defect = {
  sender: {
    usesTls: ({ host }) => !host.lackedTls,
    hosts: ({ level, hosts }) =>
      level === 'opportunistic' ? hosts : hosts.filter(({ lackedTls }) => !lackedTls),
  },
  queue: { fate: ({ attempt }, correct) => (attempt > 1 ? bouncedIfDeferred(correct) : correct) },
}

/** Opportunistic mail waits after a broken handshake: there is no second connection in the clear. */
const WAITS_AFTER_BROKEN_HANDSHAKE: Defect['sender'] & object = {
  mayGoInClear: ({ why }, correct) => correct && !isBroken(why),
}

export const OUTBOUND: readonly Mutant[] = [
  {
    name: 'delivers forced mail in clear without STARTTLS',
    requirement: 'EXO-FRC-01',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is not offered' },
    symptom: 'arrived in clear',
  },
  {
    name: 'returns held mail because the host once had no TLS',
    requirement: 'EXO-FRC-04',
    ...REMEMBERS_HOSTS_WITHOUT_TLS,
    symptom: 'did not arrive: bounced',
  },
  {
    name: 'forces TLS for everybody once it is forced for one',
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
    name: 'validates the chain at encryption only',
    requirement: 'EXO-FRC-06',
    sender: { checks: ({ level }, correct) => (level === 'encryption-only' ? ['chain'] : correct) },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'delivers in clear at encryption only',
    requirement: 'EXO-FRC-06',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is not offered' },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'looks at the chain and not at the dates',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: ({ chainError = '' }, correct) => correct || /EXPIRED|NOT_YET/.test(chainError) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'looks at the dates and not at the chain',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: ({ chainError = '' }, correct) => correct || !/EXPIRED|NOT_YET/.test(chainError) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'demands TLS of senders that only its outbound connectors name',
    requirement: 'EXO-CON-02',
    receiver: onlyWhere(isFromServer, {
      connector: ({ flow, domain }, correct) =>
        (decisive(flow.outbound, domain)?.tls ?? 'opportunistic') === 'opportunistic'
          ? correct
          : { from: domain, ...correct, tls: 'required' },
    }),
    symptom: 'refused the message at MAIL: 530',
  },
  {
    name: 'takes the first connector that fits',
    requirement: 'EXO-CON-04',
    sender: { connector: ({ flow, domain }) => flow.outbound.find(({ to }) => covers(to, domain)) },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'sends MAIL right after the first EHLO',
    requirement: 'EXO-OPP-01',
    sender: { usesTls: ({ level }) => level !== 'opportunistic' },
    symptom: 'arrived in clear',
    breaksControl: true,
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'defers without TLS, silently forced',
    requirement: 'EXO-OPP-04',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'returns without TLS',
    requirement: 'EXO-OPP-04',
    sender: { level: (_, correct) => (correct === 'opportunistic' ? 'encryption-only' : correct) },
    queue: { fate: (_, correct) => bouncedIfDeferred(correct) },
    symptom: 'did not arrive: bounced',
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'reconnects in clear over a certificate that cannot be verified',
    requirement: 'EXO-OPP-05',
    sender: { checks: ({ level }, correct) => (level === 'opportunistic' ? ['chain'] : correct) },
    symptom: 'arrived in clear',
  },
  {
    name: 'drops the message after a broken handshake and tells nobody',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: {
      fate: (_, correct) => (isBroken(correct.withoutTls) ? bouncedIfDeferred(correct) : correct),
      notification: ({ fates }, correct) =>
        fates.some(({ withoutTls }) => isBroken(withoutTls)) ? undefined : correct,
    },
    symptom: 'returned instead of staying queued',
  },
  {
    name: 'goes on in clear on the broken connection',
    requirement: 'EXO-OPP-06',
    sender: {
      bytesOutsideTls: ({ moment, sender }) => (moment === 'no handshake' ? `MAIL FROM:<${sender}>\r\n` : ''),
    },
    symptom: 'after the go-ahead to STARTTLS it sent',
  },
  {
    name: 'sends all copies in clear because one partner has no TLS',
    requirement: 'EXO-OPP-08',
    sender: {
      domainsToProbe: ({ domains }) => (domains.length > 1 ? domains : []),
      usesTls: ({ probed }) => probed.every(({ offersTls }) => offersTls),
    },
    symptom: 'first: the message arrived in clear',
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
      hosts: ({ probed }, correct) =>
        correct.length > 1 ? probed.toSorted((a, b) => Number(b.offersTls) - Number(a.offersTls)) : correct,
    },
    symptom: 'arrived over TLS, not in clear',
  },
  {
    name: 'returns the message at the first trouble with TLS',
    requirement: 'RFC5321-02',
    queue: { fate: (_, correct) => bouncedIfDeferred(correct) },
    symptom: /returned instead of staying queued|did not arrive: bounced/,
    breaksControl: true,
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'notifies where there is no return path',
    requirement: 'RFC5321-02',
    queue: {
      notification: ({ nullSender, fates, content }, correct) => {
        const to = /^Reply-To: <(.*)>/im.exec(content)?.[1]
        return nullSender && to && fates.some(({ kind }) => kind === 'bounced') ? { to, from: '' } : correct
      },
    },
    symptom: 'somebody was notified',
  },
  {
    name: 'does not notify the author',
    requirement: 'RFC5321-02',
    queue: { notification: () => undefined },
    symptom: 'its author was not told',
    waits: true,
  },
  {
    name: 'notifies the author at every attempt',
    requirement: 'RFC5321-02',
    queue: {
      notification: ({ sender, fates }) =>
        sender && fates.some(({ kind }) => kind !== 'delivered') ? { to: sender, from: '' } : undefined,
    },
    symptom: /was told \d times/,
  },
  {
    name: 'remembers 454 as a host without TLS',
    requirement: 'RFC3207-03',
    ...REMEMBERS_HOSTS_WITHOUT_TLS,
    symptom: 'arrived in clear',
  },
  {
    name: 'takes 454 for leave to send forced mail in clear',
    requirement: 'RFC3207-03',
    sender: { mayGoInClear: ({ why }, correct) => correct || why === 'STARTTLS is refused' },
    symptom: 'arrived in clear',
  },
  {
    name: 'names the sender in clear before it gives up',
    requirement: 'EXO-FRC-01',
    sender: { commandsBeforeGivingUp: ({ tls, sender }) => (tls ? [] : [`MAIL FROM:<${sender}>`]) },
    symptom: 'MAIL crossed the wire in clear',
  },
  {
    name: 'forgets what it holds',
    requirement: 'EXO-FRC-04',
    queue: { nextAttemptIn: () => undefined },
    symptom: 'did not arrive: deferred',
    waits: true,
  },
  {
    name: 'delivers twice what it held',
    requirement: 'EXO-FRC-04',
    sender: {
      furtherCopies: ({ delivered, tls, attempt }) =>
        delivered && tls && attempt > 1 ? [{ tls: true }] : [],
    },
    symptom: /arrived (again|2 times)/,
  },
  {
    name: 'overlooks a connector for one domain alone',
    requirement: 'EXO-FRC-05',
    sender: {
      connector: ({ flow, domain }) =>
        decisive(
          flow.outbound.filter(({ to }) => to.startsWith('*.')),
          domain,
        ),
    },
    symptom: 'arrived in clear',
  },
  {
    name: 'has no connector for a domain in capitals',
    requirement: 'EXO-FRC-05',
    sender: { connector: ({ domain }, correct) => (domain === domain.toLowerCase() ? correct : undefined) },
    symptom: 'arrived in clear',
  },
  {
    name: 'compares names at encryption only',
    requirement: 'EXO-FRC-06',
    sender: { checks: ({ level }, correct) => (level === 'encryption-only' ? ['name'] : correct) },
    symptom: /did not arrive: deferred .* its certificate names/,
  },
  {
    name: 'looks at the end of a certificate and not at its beginning',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: ({ chainError }, correct) => correct || chainError === 'CERT_NOT_YET_VALID' },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes self-signed certificates for trusted ones',
    requirement: 'EXO-FRC-07',
    sender: {
      trustsChain: ({ chainError }, correct) => correct || chainError === 'DEPTH_ZERO_SELF_SIGNED_CERT',
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets anybody issue whom a trusted authority certified',
    requirement: 'EXO-FRC-07',
    sender: { trustsChain: ({ chainError }, correct) => correct || chainError === ISSUER_WITHOUT_CA_FLAG },
    symptom: 'arrived over TLS',
  },
  {
    name: 'validates what there is, and without TLS there is nothing',
    requirement: 'EXO-FRC-07',
    sender: {
      mayGoInClear: ({ why, level }, correct) =>
        correct || (why === 'STARTTLS is not offered' && level !== 'encryption-only'),
    },
    symptom: 'arrived in clear',
  },
  {
    name: 'looks on a connection of its own whether there is TLS',
    requirement: 'EXO-OPP-04',
    sender: { domainsToProbe: ({ domain }) => [domain] },
    symptom: 'it took 2 connections',
  },
  {
    name: 'holds opportunistic mail over a certificate',
    requirement: 'EXO-OPP-05',
    sender: {
      checks: ({ level }, correct) => (level === 'opportunistic' ? ['chain'] : correct),
      mayGoInClear: ({ why }, correct) => correct && why !== 'the certificate is not accepted',
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'forgets a message after a broken handshake',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: {
      nextAttemptIn: ({ fates }, correct) =>
        fates.some(({ withoutTls }) => isBroken(withoutTls)) ? undefined : correct,
    },
    symptom: 'did not arrive: deferred',
    waits: true,
  },
  {
    name: 'calls a message delivered whose handshake broke',
    requirement: 'EXO-OPP-06',
    sender: WAITS_AFTER_BROKEN_HANDSHAKE,
    queue: {
      fate: (_, correct) => (isBroken(correct.withoutTls) ? { ...correct, kind: 'delivered' } : correct),
    },
    symptom: 'says delivered, but nothing arrived',
  },
  {
    name: 'tells each partner of all recipients',
    requirement: 'EXO-OPP-08',
    sender: { recipientsToName: ({ allRecipients }) => allRecipients },
    symptom: 'was told of a recipient of another',
  },
  {
    name: 'tries mail exchangers from the last to the first',
    requirement: 'RFC5321-01',
    sender: { hosts: ({ hosts }) => hosts.toReversed() },
    symptom: 'it arrived at mail exchanger 3, not 1',
    breaksControl: true,
  },
  {
    name: 'validates the first mail exchanger alone',
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
    queue: { fate: ({ fate }) => fate },
    symptom: 'is still queued',
  },
  {
    name: 'notifies with a return path',
    requirement: 'RFC5321-02',
    queue: {
      notification: ({ flow }, correct) => correct && { ...correct, from: `postmaster@${flow.domain}` },
    },
    symptom: 'the notification has the return path',
  },
]
