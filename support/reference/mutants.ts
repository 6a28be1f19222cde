import type { Defects } from './defects.ts'

/** A gateway with one planted defect, which a check of one requirement must find. */
export interface Mutant {
  /** What it does wrong, as the subject's verb: `delivers in clear …`. */
  name: string
  requirement: string
  defects: Defects
  /** Part of the verdict's detail: the wrong failure is not found. */
  symptom: string | RegExp
  /** Even the example in which everything is well is broken by it. */
  breaksControl?: true
  /** Other requirements that the defect honestly breaks as well. */
  explains?: readonly string[]
  /** It is found only by waiting in vain for what it leaves undone. */
  waits?: true
}

/**
 * A gateway that fails to do its work, so that nothing forbidden is seen. None of the refusals of these requirements may
 * be taken for a right one.
 */
export interface Omission {
  name: string
  requirements: readonly string[]
  defects: Defects
}

/** At least one for each requirement with a Rule: the negative control of the catalogue, each of them where it names several. */
export const MUTANTS: readonly Mutant[] = [
  // certificate
  {
    name: 'compares names at certificate validation',
    requirement: 'EXO-FRC-09',
    defects: { sender: { comparesNamesAtChainLevel: true } },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'compares no names at domain validation',
    requirement: 'EXO-FRC-09',
    defects: { sender: { ignoresNames: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-10', 'DGR-03'],
  },
  {
    name: 'compares the configured wildcard by its letters',
    requirement: 'EXO-FRC-10',
    defects: { sender: { comparesWildcardSuffix: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'compares the configured name by its letters',
    requirement: 'EXO-FRC-10',
    defects: { sender: { comparesNameSuffix: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09', 'DGR-03'],
  },
  {
    name: 'believes the name in any certificate, whoever issued it',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresChain: true } },
    symptom: 'accepted the message',
    explains: ['RFC3207-11'],
  },
  {
    name: 'lets a sender in whose certificate has expired',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresDates: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a sender in whose certificate is for servers',
    requirement: 'EXO-FRC-14',
    defects: { receiver: { ignoresUsage: true } },
    symptom: 'accepted the message',
  },
  // downgrade
  {
    name: 'executes inside TLS what came in clear behind STARTTLS',
    requirement: 'RFC3207-07',
    defects: { receiver: { executesEarlyBytes: 'all' } },
    symptom: 'executed inside TLS',
  },
  {
    name: 'lets a smuggled sender count inside TLS',
    requirement: 'RFC3207-07',
    defects: { receiver: { executesSilently: true } },
    symptom: 'the smuggled sender counts inside TLS',
  },
  {
    name: 'finishes inside TLS a command that was begun in clear',
    requirement: 'RFC3207-07',
    defects: { receiver: { executesEarlyBytes: 'half' } },
    symptom: 'the first answer inside TLS is not the one to EHLO',
  },
  {
    name: 'takes a smuggled reply for the answer to EHLO inside TLS',
    requirement: 'RFC3207-08',
    defects: { sender: { believesEarlyBytes: 'all' } },
    symptom: 'it went on before the answer inside TLS',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and uses it',
    requirement: 'RFC3207-08',
    defects: { sender: { believesEarlyBytes: 'half', usesAuth: true } },
    symptom: 'it used the smuggled line: AUTH',
  },
  {
    name: 'finishes inside TLS a reply that was begun in clear, and is one answer ahead',
    requirement: 'RFC3207-08',
    defects: { sender: { believesEarlyBytes: 'half' } },
    symptom: 'took one answer for another',
  },
  {
    name: 'delivers forced mail in clear where STARTTLS was removed',
    requirement: 'DGR-01',
    defects: { sender: { clearWithoutStarttls: true } },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'holds opportunistic mail where STARTTLS was removed',
    requirement: 'DGR-01',
    defects: { sender: { forcesAll: true } },
    symptom: 'did not arrive: deferred',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'takes a refused STARTTLS for leave to send forced mail in clear',
    requirement: 'DGR-02',
    defects: { sender: { clearAfterRefusal: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'delivers forced mail in clear where the keyword was garbled',
    requirement: 'DGR-02',
    defects: { sender: { clearWithoutStarttls: true } },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'calls encryption with anybody validated',
    requirement: 'DGR-03',
    defects: { sender: { takesAnyCertificate: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09'],
  },
  {
    name: 'falls through to the last mail exchanger and delivers in clear',
    requirement: 'EXO-FRC-02',
    defects: { sender: { clearAtLastHost: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'tries again in clear after a broken handshake',
    requirement: 'EXO-FRC-02',
    defects: { sender: { clearAfterBrokenHandshake: true } },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'loses patience with forced TLS at the third attempt',
    requirement: 'EXO-FRC-02',
    defects: { sender: { clearAtThirdAttempt: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'stores the fragment of a message',
    requirement: 'DGR-05',
    defects: { receiver: { storesFragments: true } },
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'takes a cut connection for a delivery',
    requirement: 'DGR-05',
    defects: { sender: { takesCutForDelivery: true } },
    symptom: 'says delivered, but nothing arrived',
  },
  // inbound
  {
    name: 'takes mail in clear and only adds a header',
    requirement: 'EXO-FRC-11',
    defects: { receiver: { takesClearMail: true } },
    symptom: 'accepted the message in clear',
  },
  {
    name: 'never asks for a certificate and lets any TLS session in',
    requirement: 'EXO-FRC-12',
    defects: { receiver: { asksForNoCertificate: true } },
    symptom: 'never asked for a certificate',
    breaksControl: true,
  },
  {
    name: 'lets any certificate of a trusted authority in',
    requirement: 'EXO-FRC-13',
    defects: { receiver: { ignoresNames: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'compares the expected wildcard by its letters',
    requirement: 'EXO-FRC-13',
    defects: { receiver: { comparesSuffix: true } },
    symptom: 'accepted the message',
  },
  {
    name: 'demands the certificate of a partner from everybody',
    requirement: 'EXO-FRC-15',
    defects: { receiver: { demandsCertificateOfAll: true } },
    symptom: 'refused the message at MAIL',
    explains: ['EXO-FRC-11', 'RFC3207-02'],
  },
  {
    name: 'forces replies to a partner that only sends over TLS',
    requirement: 'EXO-CON-01',
    defects: { sender: { heedsInboundConnectors: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'takes MAIL and RCPT in clear and refuses at DATA',
    requirement: 'RFC3207-05',
    defects: { receiver: { refusesAtData: true } },
    symptom: 'the reply is 250',
  },
  {
    name: 'answers 530 to MAIL from everybody',
    requirement: 'EXO-OPP-07',
    defects: { receiver: { demandsTlsOfAll: true } },
    symptom: 'refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'offers STARTTLS without a certificate and resets the connection',
    requirement: 'RFC3207-01',
    defects: { receiver: { offersWithoutCertificate: true } },
    symptom: 'STARTTLS is offered and',
  },
  {
    name: 'offers STARTTLS with a parameter',
    requirement: 'RFC3207-01',
    defects: { receiver: { decoratesKeyword: true } },
    symptom: 'offered with a parameter',
    breaksControl: true,
  },
  {
    name: 'answers 530 to every MAIL in clear',
    requirement: 'RFC3207-04',
    defects: { receiver: { demandsTlsOfAll: true } },
    symptom: 'refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'answers 235 to a password in clear',
    requirement: 'RFC8314-02',
    defects: { receiver: { takesPasswordsInClear: true } },
    symptom: 'a login in clear succeeds',
  },
  {
    name: 'tells in clear which password was right',
    requirement: 'RFC8314-02',
    defects: { receiver: { tellsPasswordsApart: true } },
    symptom: 'tells which password was right',
  },
  // message
  {
    name: 'sends MAIL and RCPT before the handshake',
    requirement: 'EXO-MSG-01',
    defects: { sender: { sendsEnvelopeFirst: true } },
    symptom: /(MAIL|RCPT) crossed the wire in clear/,
    breaksControl: true,
    explains: ['EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09'],
  },
  {
    name: 'leaks the subject on a connection beside',
    requirement: 'EXO-MSG-01',
    defects: { sender: { leaksSubject: true } },
    symptom: 'crossed the wire in clear',
    breaksControl: true,
    explains: ['EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09'],
  },
  {
    name: 'holds what came in over TLS while the next server has none',
    requirement: 'EXO-MSG-02',
    defects: { sender: { holdsForwarded: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'labels the next hop as encrypted',
    requirement: 'EXO-MSG-02',
    defects: { words: { labelsNextHop: true } },
    symptom: 'Received lines claim TLS',
  },
  {
    name: 'forwards in clear what came in over TLS',
    requirement: 'EXO-MSG-03',
    defects: { sender: { forwardsInClear: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'adds to the text of what came over TLS',
    requirement: 'EXO-MSG-04',
    defects: { receiver: { rewritesSecured: true } },
    symptom: 'is not the one that was sent',
  },
  {
    name: 'takes the S/MIME layer off',
    requirement: 'EXO-MSG-05',
    defects: { sender: { stripsSmime: true } },
    symptom: 'cannot decrypt it any more',
  },
  {
    name: 'calls the message encrypted end to end in a header',
    requirement: 'EXO-MSG-06',
    defects: { words: { claimsEndToEndInHeader: true } },
    symptom: 'claims protection from end to end',
  },
  {
    name: 'calls the message encrypted end to end in its log',
    requirement: 'EXO-MSG-06',
    defects: { words: { claimsEndToEndInLog: true } },
    symptom: 'the log claims protection from end to end',
  },
  // outbound
  {
    name: 'delivers forced mail in clear without STARTTLS',
    requirement: 'EXO-FRC-01',
    defects: { sender: { clearWithoutStarttls: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'returns held mail because the host once had no TLS',
    requirement: 'EXO-FRC-04',
    defects: { sender: { remembersNoTls: true } },
    symptom: 'did not arrive: bounced',
  },
  {
    name: 'forces TLS for everybody once it is forced for one',
    requirement: 'EXO-FRC-05',
    defects: { sender: { forcesAll: true } },
    symptom: 'did not arrive: deferred',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'forces TLS for sub-domains that no wildcard names',
    requirement: 'EXO-FRC-05',
    defects: { sender: { coversSubdomains: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'validates the chain at encryption only',
    requirement: 'EXO-FRC-06',
    defects: { sender: { validatesEncryptionOnly: true } },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'delivers in clear at encryption only',
    requirement: 'EXO-FRC-06',
    defects: { sender: { clearWithoutStarttls: true } },
    symptom: 'arrived in clear',
    explains: ['EXO-FRC-01'],
  },
  {
    name: 'looks at the chain and not at the dates',
    requirement: 'EXO-FRC-07',
    defects: { sender: { ignoresDates: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'looks at the dates and not at the chain',
    requirement: 'EXO-FRC-07',
    defects: { sender: { ignoresIssuer: true } },
    symptom: 'arrived over TLS',
  },
  {
    name: 'demands TLS of senders that only its outbound connectors name',
    requirement: 'EXO-CON-02',
    defects: { receiver: { heedsOutboundConnectors: true } },
    symptom: 'refused the message at MAIL: 530',
  },
  {
    name: 'takes the first connector that fits',
    requirement: 'EXO-CON-04',
    defects: { sender: { firstConnectorDecides: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'sends MAIL right after the first EHLO',
    requirement: 'EXO-OPP-01',
    defects: { sender: { neverStartsTls: true } },
    symptom: 'arrived in clear',
    breaksControl: true,
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'defers without TLS, silently forced',
    requirement: 'EXO-OPP-04',
    defects: { sender: { forcesAll: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'returns without TLS',
    requirement: 'EXO-OPP-04',
    defects: { sender: { bouncesWithoutTls: true } },
    symptom: 'did not arrive: bounced',
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'reconnects in clear over a certificate that cannot be verified',
    requirement: 'EXO-OPP-05',
    defects: { sender: { validatesOpportunistic: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'drops the message after a broken handshake and tells nobody',
    requirement: 'EXO-OPP-06',
    defects: { sender: { waitsAfterBrokenHandshake: true }, queue: { dropsAfterBrokenHandshake: true } },
    symptom: 'returned instead of staying queued',
  },
  {
    name: 'goes on in clear on the broken connection',
    requirement: 'EXO-OPP-06',
    defects: { sender: { staysOnBrokenConnection: true } },
    symptom: 'after the go-ahead to STARTTLS it sent',
  },
  {
    name: 'sends all copies in clear because one partner has no TLS',
    requirement: 'EXO-OPP-08',
    defects: { sender: { sharesWeakest: true } },
    symptom: 'first: the message arrived in clear',
  },
  {
    name: 'holds all copies because one is forced',
    requirement: 'EXO-OPP-08',
    defects: { sender: { sharesStrictest: true } },
    symptom: 'second: the message did not arrive',
  },
  {
    name: 'gives up after the first mail exchanger',
    requirement: 'RFC5321-01',
    defects: { sender: { triesFirstHostOnly: true } },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'prefers mail exchangers with STARTTLS',
    requirement: 'RFC5321-01',
    defects: { sender: { prefersSecureHosts: true } },
    symptom: 'arrived over TLS, not in clear',
  },
  {
    name: 'returns the message at the first trouble with TLS',
    requirement: 'RFC5321-02',
    defects: { queue: { bouncesAtOnce: true } },
    symptom: /returned instead of staying queued|did not arrive: bounced/,
    breaksControl: true,
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'notifies where there is no return path',
    requirement: 'RFC5321-02',
    defects: { queue: { tellsNullSenders: true } },
    symptom: 'somebody was notified',
  },
  {
    name: 'does not notify the author',
    requirement: 'RFC5321-02',
    defects: { queue: { tellsNobody: true } },
    symptom: 'its author was not told',
    waits: true,
  },
  {
    name: 'notifies the author at every attempt',
    requirement: 'RFC5321-02',
    defects: { queue: { tellsEachTime: true } },
    symptom: /was told \d times/,
  },
  {
    name: 'remembers 454 as a host without TLS',
    requirement: 'RFC3207-03',
    defects: { sender: { remembersNoTls: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'takes 454 for leave to send forced mail in clear',
    requirement: 'RFC3207-03',
    defects: { sender: { clearAfterRefusal: true } },
    symptom: 'arrived in clear',
  },
  // protocol
  {
    name: 'offers AES128 before AES256',
    requirement: 'EXO-OPP-03',
    defects: { sender: { prefersShortKeys: true } },
    symptom: 'arrived over TLS with TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, not',
  },
  {
    name: 'goes on in clear as soon as its first suite is refused',
    requirement: 'EXO-OPP-03',
    defects: { sender: { offersOneSuite: true } },
    symptom: 'arrived in clear',
  },
  {
    name: 'answers 220 to STARTTLS with a parameter',
    requirement: 'RFC3207-02',
    defects: { receiver: { takesParameter: true } },
    symptom: 'the reply is 220',
  },
  {
    name: 'sends MAIL in clear when the handshake breaks',
    requirement: 'RFC3207-06',
    defects: { sender: { staysOnBrokenConnection: true } },
    symptom: 'after the go-ahead to STARTTLS it sent',
  },
  {
    name: 'still knows inside TLS who wrote in clear',
    requirement: 'RFC3207-09',
    defects: { receiver: { remembersEnvelope: true } },
    symptom: 'the reply is 250',
  },
  {
    name: 'uses inside TLS what was offered in clear only',
    requirement: 'RFC3207-09',
    defects: { sender: { usesClearExtensions: true } },
    symptom: 'it used what was offered in clear only',
  },
  {
    name: 'does not greet again inside TLS',
    requirement: 'RFC3207-09',
    defects: { sender: { greetsOnce: true } },
    symptom: /did not arrive: bounced .*503/,
    explains: ['EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09'],
    waits: true,
  },
  {
    name: 'begins a second handshake inside TLS',
    requirement: 'RFC3207-10',
    defects: { receiver: { nestsHandshake: true } },
    symptom: 'the reply is 220',
  },
  {
    name: 'offers STARTTLS again inside TLS',
    requirement: 'RFC3207-10',
    defects: { receiver: { offersAgain: true } },
    symptom: 'offered again inside TLS',
  },
  {
    name: 'says STARTTLS again inside TLS',
    requirement: 'RFC3207-10',
    defects: { sender: { startsTlsAgain: true } },
    symptom: 'STARTTLS was used again',
  },
  {
    name: 'has no setting for whom to believe',
    requirement: 'RFC3207-11',
    defects: { sender: { takesAnyCertificate: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09'],
  },
  {
    name: 'sends the message and then looks at the certificate',
    requirement: 'RFC3207-11',
    defects: { sender: { checksTooLate: true } },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-01', 'EXO-FRC-09'],
  },
  {
    name: 'has TLS 1.2 switched off as a receiver',
    requirement: 'EXO-VER-02',
    defects: { receiver: { minVersion: 'TLSv1.3' } },
    symptom: 'the session ended at handshake',
  },
  {
    name: 'has TLS 1.2 switched off as a sender',
    requirement: 'EXO-VER-02',
    defects: { sender: { minVersion: 'TLSv1.3' } },
    symptom: 'arrived in clear',
  },
  {
    name: 'completes a handshake with TLS 1.1',
    requirement: 'EXO-VER-03',
    defects: { receiver: { minVersion: 'TLSv1.1' } },
    symptom: 'the handshake succeeded with TLS 1.1',
  },
  {
    name: 'completes a handshake with TLS 1.0',
    requirement: 'EXO-VER-03',
    defects: { receiver: { minVersion: 'TLSv1' } },
    symptom: 'the handshake succeeded with TLS 1.0',
  },
  {
    name: 'ends up at TLS 1.0 as a sender',
    requirement: 'EXO-VER-04',
    defects: { sender: { minVersion: 'TLSv1' } },
    symptom: /it used TLS 1\.|it offered TLS 1\.[01]/,
    breaksControl: true,
  },
  {
    name: 'offers TLS 1.2 only although it has 1.3',
    requirement: 'EXO-OPP-02',
    defects: { sender: { maxVersion: 'TLSv1.2' } },
    symptom: 'arrived over TLS 1.2, not TLS 1.3',
    breaksControl: true,
  },
  {
    name: 'tries again with a lower version after an alert',
    requirement: 'EXO-OPP-02',
    defects: { sender: { dancesDown: true } },
    symptom: 'a later handshake offered TLS 1.2 at most',
  },
  // reporting
  {
    name: 'writes a constant TLS text in its Received line',
    requirement: 'TRC-01',
    defects: { words: { receivedAlwaysTls: true } },
    symptom: 'the message came in clear, but its Received line says ESMTPS',
  },
  {
    name: 'derives its Received line from a lower one',
    requirement: 'TRC-01',
    defects: { words: { receivedFromLowerLine: true } },
    symptom: 'the message came in clear, but its Received line says ESMTPS',
  },
  {
    name: 'logs "verified" because the certificate names the MX host',
    requirement: 'TRC-02',
    defects: { words: { verifiesByMxName: true } },
    symptom: 'the log calls a stranger verified',
  },
  {
    name: 'logs every sender with a certificate as verified',
    requirement: 'TRC-02',
    defects: { words: { verifiesAnyCertificate: true } },
    symptom: 'the log calls a stranger verified',
  },
  {
    name: 'logs TLS where there was none',
    requirement: 'TRC-02',
    defects: { words: { callsClearEncrypted: true } },
    symptom: 'the log calls a clear session encrypted',
  },
  {
    name: 'logs neither version nor suite',
    requirement: 'TRC-02',
    defects: { words: { hidesSessions: true } },
    symptom: 'the log tells neither version nor suite',
    breaksControl: true,
  },
  // server-to-server
  {
    name: 'enforces the outgoing leg alone',
    requirement: 'EXO-CON-03',
    defects: { receiver: { takesClearMail: true } },
    symptom: 'accepted the message in clear',
    explains: ['EXO-FRC-11'],
  },
  {
    name: 'enforces the incoming leg alone',
    requirement: 'EXO-CON-03',
    defects: { sender: { clearWithoutStarttlsForPairs: true } },
    symptom: 'arrived in clear',
  },
  // transition
  {
    name: 'keeps its former certificate',
    requirement: 'EXO-TRN-01',
    defects: { receiver: { keepsCertificate: true } },
    symptom: 'these authorities, in this order: former',
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
]

/** Requirements whose refusals are as good as any. */
const OUTBOUND = ['EXO-FRC-01', 'DGR-01', 'EXO-FRC-02']
const INBOUND = ['EXO-FRC-11', 'EXO-FRC-13', 'RFC3207-05', 'EXO-CON-01']

export const OMISSIONS: readonly Omission[] = [
  {
    name: 'goes away instead of refusing',
    requirements: ['EXO-FRC-11'],
    defects: { receiver: { crashesInsteadOfRefusing: true } },
  },
  {
    name: 'goes away instead of holding a message back',
    requirements: ['EXO-FRC-01'],
    defects: { sender: { crashesInsteadOfHolding: true } },
  },
  {
    name: 'refuses everybody',
    requirements: [...INBOUND, ...OUTBOUND],
    defects: { receiver: { refusesEverything: true } },
  },
  {
    name: 'takes mail, sends nothing and says nothing',
    requirements: ['EXO-FRC-01'],
    defects: { queue: { sleeps: true } },
  },
  {
    name: 'answers 250 to everything',
    requirements: [...INBOUND, 'RFC3207-02', 'RFC3207-09'],
    defects: { receiver: { answersAlways250: true } },
  },
  {
    name: 'says deferred while it delivers in clear',
    requirements: OUTBOUND,
    defects: { sender: { deliversAndSaysDeferred: true } },
  },
  {
    name: 'delivers in clear a little after it has said deferred',
    requirements: ['EXO-FRC-01', 'DGR-01'],
    defects: { sender: { deliversLater: true } },
  },
]
