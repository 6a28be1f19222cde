/**
 * Faults that can be planted in the reference gateway, as data. Empty: it keeps every requirement. Each field says what
 * changes on the wire or in the gateway's words.
 */
export interface Defects {
  receiver?: ReceiverDefects
  sender?: SenderDefects
  queue?: QueueDefects
  words?: WordsDefects
}

/** What becomes of bytes that were read in clear behind STARTTLS or behind the answer to it. */
export type EarlyBytes =
  /** All are taken as if they had come inside TLS. */
  | 'all'
  /** Whole lines are dropped; an unfinished one is finished by what comes inside TLS. */
  | 'half'

/** Where the gateway takes mail in. */
export interface ReceiverDefects {
  // Connectors
  /** Mail in clear is taken although its connector requires TLS; a header says that it was in clear. */
  takesClearMail?: true
  /** No CertificateRequest is sent, and any TLS session does where a certificate is required. */
  asksForNoCertificate?: true
  /** Any certificate of a trusted authority does, whatever its names. */
  ignoresNames?: true
  /** A wildcard is compared by its letters: evilpartner.test and partner.test do for `*.partner.test`. */
  comparesSuffix?: true
  /** A certificate with the right name does, whoever issued it, whatever its dates and usage. */
  ignoresChain?: true
  /** A certificate that has expired does. */
  ignoresDates?: true
  /** A certificate for servers does. */
  ignoresUsage?: true
  /** MAIL is answered 550 in every session that shows no certificate that its connector, or any, asks for. */
  demandsCertificateOfAll?: true
  /** MAIL in clear is answered 530, whatever the sender's domain. */
  demandsTlsOfAll?: true
  /** Outbound connectors count for mail from their domains too. */
  heedsOutboundConnectors?: true
  /** Where TLS is required of every sender, MAIL and RCPT in clear are answered 250, DATA 530. */
  refusesAtData?: true

  // STARTTLS
  /** Without a certificate STARTTLS is offered, and the connection reset when it is used. */
  offersWithoutCertificate?: true
  /** The EHLO reply lists `STARTTLS required`. */
  decoratesKeyword?: true
  /** `STARTTLS now` is answered 220. */
  takesParameter?: true
  /** What came in clear behind STARTTLS is executed inside TLS. */
  executesEarlyBytes?: EarlyBytes
  /** What came in clear behind STARTTLS is executed before the handshake, unanswered, and counts inside TLS. */
  executesSilently?: true
  /** MAIL in clear still counts inside TLS. */
  remembersEnvelope?: true
  /** The EHLO reply inside TLS lists STARTTLS. */
  offersAgain?: true
  /** STARTTLS inside TLS is answered 220, and a second handshake begun. */
  nestsHandshake?: true
  /** Lowest version of a handshake that is completed. */
  minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.3'

  // Passwords and messages
  /** The right password in clear is answered 235. */
  takesPasswordsInClear?: true
  /** In clear the right password is answered 538, a wrong one 535. */
  tellsPasswordsApart?: true
  /** What arrived of a message before its connection was cut is delivered. */
  storesFragments?: true
  /** Messages that came over TLS get a line of text added. */
  rewritesSecured?: true

  // Change
  /** The certificate of the start is shown for ever. */
  keepsCertificate?: true
  /** After a change a certificate is shown that is valid from tomorrow on. */
  showsTomorrowsCertificate?: true

  // Omissions
  /** Instead of a refusal at MAIL the whole gateway goes away: its listening sockets and connections are closed. */
  crashesInsteadOfRefusing?: true
  /** Every connection is greeted with 554. */
  refusesEverything?: true
  /** Where other servers send, every command, DATA included, is answered 250; nothing is stored. */
  answersAlways250?: true
}

/** Where the gateway sends mail on. */
export interface SenderDefects {
  // Forced TLS
  /** Forced mail goes out in clear where STARTTLS is not offered. */
  clearWithoutStarttls?: true
  /** As `clearWithoutStarttls`, but for domains with a forced inbound connector as well alone. */
  clearWithoutStarttlsForPairs?: true
  /** Forced mail goes out in clear where STARTTLS is refused with a reply. */
  clearAfterRefusal?: true
  /** Forced mail goes out in clear on a new connection after a broken handshake. */
  clearAfterBrokenHandshake?: true
  /** Forced mail goes out in clear at the last of several mail exchangers. */
  clearAtLastHost?: true
  /** Forced mail goes out in clear from the third attempt on. */
  clearAtThirdAttempt?: true
  /** Forced mail goes out in clear on a new connection after a handshake that broke or a certificate that does not convince. */
  clearAfterBadCertificate?: true
  /** The certificate is looked at only after the message has been given away. */
  checksTooLate?: true
  /** Mail for domains without connector is forced as well. */
  forcesAll?: true
  /** The same, and the message is returned at once. */
  bouncesWithoutTls?: true

  // Connectors
  /** A connector for one domain covers those below it too. */
  coversSubdomains?: true
  /** The first connector that covers a domain decides. */
  firstConnectorDecides?: true
  /** Inbound connectors that require TLS force outbound mail for their domains too. */
  heedsInboundConnectors?: true
  /** Domains of one message share the strictest treatment among them. */
  sharesStrictest?: true
  /** All copies of a message go out in clear when one of its partners has no TLS. */
  sharesWeakest?: true

  // Certificates
  /** At every level any certificate does. */
  takesAnyCertificate?: true
  /** Domain validation looks at the chain and not at names. */
  ignoresNames?: true
  /** Certificate validation compares names. */
  comparesNamesAtChainLevel?: true
  /** `*.partner.test` is compared by its letters: evilpartner.test and partner.test do. */
  comparesWildcardSuffix?: true
  /** A configured name is compared by its letters: evilmail.partner.test does for mail.partner.test. */
  comparesNameSuffix?: true
  /** Dates are looked at, who issued the certificate is not. */
  ignoresIssuer?: true
  /** Who issued the certificate is looked at, its dates are not. */
  ignoresDates?: true
  /** The chain is validated at encryption only as well. */
  validatesEncryptionOnly?: true
  /** In opportunistic mode a certificate that cannot be verified leads to a new connection in clear. */
  validatesOpportunistic?: true
  /** Of several trusted roots only the first is trusted. */
  trustsFirstRootOnly?: true

  // The STARTTLS dialogue
  /** MAIL follows the first EHLO, whatever is offered, where TLS is not forced. */
  neverStartsTls?: true
  /** Replies that came in clear behind the go-ahead are taken as replies inside TLS. */
  believesEarlyBytes?: EarlyBytes
  /** Sends AUTH where it is listed. */
  usesAuth?: true
  /** No EHLO inside TLS: what was listed in clear counts. */
  greetsOnce?: true
  /** Greets again, and then uses what was listed in clear: XCLIENT. */
  usesClearExtensions?: true
  /** Says STARTTLS inside TLS where it is listed. */
  startsTlsAgain?: true
  /** MAIL and RCPT are sent before STARTTLS, and again inside TLS. */
  sendsEnvelopeFirst?: true
  /** A second connection in clear carries the subject. */
  leaksSubject?: true
  /** When the answer to the ClientHello is no TLS handshake, MAIL is sent in clear on the same connection. */
  staysOnBrokenConnection?: true
  /** After a broken handshake there is no second connection in clear: the message waits. */
  waitsAfterBrokenHandshake?: true
  /** A host that had no TLS once is taken never to have it: in clear, or returned when TLS is forced. */
  remembersNoTls?: true

  // Versions and suites
  minVersion?: 'TLSv1' | 'TLSv1.3'
  maxVersion?: 'TLSv1.2'
  /** After a broken handshake the next connection offers TLS 1.2 at most. */
  dancesDown?: true
  /** AES128 is offered before AES256. */
  prefersShortKeys?: true
  /** Only the strongest suite is offered; refused, the message goes out in clear. */
  offersOneSuite?: true

  // Mail exchangers
  triesFirstHostOnly?: true
  /** Hosts with STARTTLS go before hosts without. */
  prefersSecureHosts?: true

  // Messages
  /** What came in over TLS waits while the partner has no TLS. */
  holdsForwarded?: true
  /** What came in over TLS goes out in clear. */
  forwardsInClear?: true
  /** S/MIME is taken off: the envelope becomes plain text. */
  stripsSmime?: true
  /** A connection that was cut in the middle of a message counts as delivery. */
  takesCutForDelivery?: true

  // Omissions
  /** Instead of holding a message back the whole gateway goes away. */
  crashesInsteadOfHolding?: true
  /** Forced mail goes out in clear and is called deferred. */
  deliversAndSaysDeferred?: true
  /** Forced mail that was held goes out in clear a little later, unasked. */
  deliversLater?: true
}

/** Between taking mail in and sending it on. */
export interface QueueDefects {
  /** A message whose handshake broke is thrown away; its author is not told. */
  dropsAfterBrokenHandshake?: true
  /** The first failure ends in a return to the author. */
  bouncesAtOnce?: true
  /** A message without return path is returned to its Reply-To. */
  tellsNullSenders?: true
  /** The author of a message that was given up is not told. */
  tellsNobody?: true
  /** The author is told at every failed attempt. */
  tellsEachTime?: true
  /** The first message that is taken in after a change of the mail flow is lost. */
  losesAtChange?: true
  /** Nothing is sent and nothing is said. */
  sleeps?: true
}

/** What the gateway says in headers, log and queue. */
export interface WordsDefects {
  /** The Received line says ESMTPS and names a version, always. */
  receivedAlwaysTls?: true
  /** The Received line says ESMTPS when a lower one does. */
  receivedFromLowerLine?: true
  /** A second Received line says that the next hop has TLS. */
  labelsNextHop?: true
  /** A header says that the message is encrypted end to end. */
  claimsEndToEndInHeader?: true
  /** The log says so. */
  claimsEndToEndInLog?: true
  /** The log calls sessions in clear encrypted. */
  callsClearEncrypted?: true
  /** The log calls partners verified whose certificate names their MX host, whoever issued it. */
  verifiesByMxName?: true
  /** The log calls senders verified that show any certificate. */
  verifiesAnyCertificate?: true
  /** The log tells neither version nor suite. */
  hidesSessions?: true
  /** The reason of a deferral is the same for all: try again later. */
  hidesReasons?: true
}
