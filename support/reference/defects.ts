/**
 * Faults that can be planted in the reference gateway, as data. Empty: it keeps every requirement. Each field says what
 * changes on the wire or in the gateway's words.
 */
export interface Defects {
  receiver?: ReceiverDefects
  sender?: SenderDefects
  queue?: QueueDefects
  words?: WordsDefects
  /** Of its IPv6 address alone, and of every server but the first that is started, beside `receiver`. */
  ipv6?: ReceiverDefects
  otherServers?: ReceiverDefects
  /** Of mail to and from servers of its service alone, beside those for all mail. */
  amongServers?: { sender?: SenderDefects; words?: WordsDefects }
}

/** What becomes of bytes that were read in clear behind STARTTLS or behind the answer to it. */
export type EarlyBytes =
  /** All are taken as if they had come inside TLS. */
  | 'all'
  /** Whole lines are dropped; an unfinished one is finished by what comes inside TLS. */
  | 'half'

/** Where the gateway takes mail in. */
export interface ReceiverDefects {
  // Certificate
  /** Its certificate comes without the intermediate. */
  omitsIntermediate?: true

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
  /** A certificate of any authority does, as long as its dates and usage are right. */
  ignoresIssuer?: true
  /** A certificate does whose issuer is none but was certified by a trusted authority. */
  ignoresCaFlag?: true
  /** A name that goes on behind the expected one does: mail.partner.test.other.test for `*.partner.test`. */
  comparesBeginning?: true
  /** A name that the connector of another partner expects does as well. */
  takesNamesOfOthers?: true
  /** CertificateRequest is sent, and who answers it with no certificate is let in. */
  letsEmptyCertificateIn?: true
  /** Mail in clear is taken where a certificate is required, since there is none to be looked at. */
  takesClearWhereCertificate?: true
  /** Who has shown a good certificate needs none any more on later connections from the same address. */
  remembersAddresses?: true
  /** After the first MAIL of a session, RSET or not, connectors are not looked at again. */
  checksFirstMailOnly?: true
  /** Connectors are chosen by the name in EHLO, not by the sender's domain. */
  decidesByHelo?: true
  /** A domain with capitals in it is covered by no connector. */
  heedsCapitals?: true
  /** Forced mail in clear is taken whole, answered 550 after its dot, and delivered. */
  storesRefused?: true
  /** MAIL is answered 550 in every session that shows no certificate that its connector, or any, asks for. */
  demandsCertificateOfAll?: true
  /** MAIL in clear is answered 530, whatever the sender's domain. */
  demandsTlsOfAll?: true
  /** Outbound connectors count for mail from their domains too. */
  heedsOutboundConnectors?: true
  /** Where TLS is required of every sender, MAIL and RCPT in clear are answered 250, DATA 530. */
  refusesAtData?: true
  /** The 530 comes without 5.7.0. */
  omitsStatus?: true
  /** Where TLS is required of every sender, NOOP in clear is answered 530 too. */
  refusesNoop?: true

  // STARTTLS
  /** Without a certificate STARTTLS is offered, and the connection reset when it is used. */
  offersWithoutCertificate?: true
  /** The EHLO reply lists `STARTTLS required`. */
  decoratesKeyword?: true
  /** `STARTTLS now` is answered 220. */
  takesParameter?: true
  /** After the 501 to `STARTTLS now` the connection is closed. */
  closesAtParameter?: true
  /** As `executesEarlyBytes` does with all, but only behind a STARTTLS that is not in capitals. */
  executesBehindMixedCase?: true
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
  /** Versions above the highest that is permitted are used. */
  ignoresHighestVersion?: true
  /** Key exchange by RSA is taken where forward secrecy is demanded. */
  takesStaticRsa?: true

  // Passwords and messages
  /** The right password in clear is answered 235. */
  takesPasswordsInClear?: true
  /** In clear the right password is answered 538, a wrong one 535. */
  tellsPasswordsApart?: true
  /** AUTH PLAIN in clear is answered 538, AUTH LOGIN goes on to 235. */
  takesLoginInClear?: true
  /** What arrived of a message before its connection was cut is delivered. */
  storesFragments?: true
  /** Messages that came over TLS get a line of text added. */
  rewritesSecured?: true
  /** Their subject gets `[secure]` in front. */
  marksSecured?: true
  /** Mail in clear is answered 250 and thrown away. */
  discardsClearMail?: true

  // Change
  /** The certificate of the start is shown for ever. */
  keepsCertificate?: true
  /** After a change a certificate is shown that is valid from tomorrow on. */
  showsTomorrowsCertificate?: true
  /** After a change every other session shows the former certificate. */
  alternatesCertificates?: true

  // Omissions
  /** Instead of a refusal at MAIL the whole gateway goes away: its listening sockets and connections are closed. */
  crashesInsteadOfRefusing?: true
  /** Every connection is greeted with 554. */
  refusesEverything?: true
  /** Where other servers send, every command, DATA included, is answered 250; nothing is stored. */
  answersAlways250?: true
  /** A ClientHello that it would refuse is never answered. */
  ignoresBadHellos?: true
  /** Forced mail in clear is answered 450 at the first attempt, as from any stranger, and taken at the second. */
  greylists?: true
  /** After its first message every MAIL is answered 452. */
  tires?: true
  /** MAIL without return path is answered 550. */
  refusesNullSenders?: true
  /** The first RCPT of all is answered 451. */
  hasBadMoment?: true
  /** Nothing is answered inside TLS. */
  silentInTls?: true
  /** The EHLO reply has more lines than anybody reads. */
  listsTooMuch?: true
}

/** Where the gateway sends mail on. */
export interface SenderDefects {
  // Certificates
  /** An intermediate that an earlier session showed fills the gap in a later chain. */
  remembersIntermediates?: true

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
  /** As `clearWithoutStarttls`, but only where the certificate is to be looked at: there is none. */
  clearWhereValidated?: true
  /** There, too: forced mail goes out in clear on a new connection after a broken handshake. */
  clearWhereValidatedAndBroken?: true
  /** Forced mail goes out in clear on a new connection when STARTTLS was answered by closing. */
  clearAfterClose?: true
  /** Once it was cut in the middle, a message goes out in clear. */
  clearAfterCut?: true
  /** Messages of more than 100 kB go out in clear. */
  clearForLarge?: true
  /** Where STARTTLS is not offered MAIL is sent, and then QUIT. */
  namesSenderFirst?: true
  /** Mail without return path is never forced. */
  exemptsNullSenders?: true
  /** The same, and STARTTLS is not even used where it is offered. */
  noticesInClear?: true
  /** STARTTLS is not used for domains under the parent of the gateway's own. */
  clearForOwnOrganisation?: true
  /** For these, TLS is used where it is offered and never forced. */
  trustsOwnOrganisation?: true
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
  /** RCPT is sent for all recipients of the message, also those at other partners. */
  namesAllRecipients?: true
  /** Connectors for one domain alone are not looked at. */
  ignoresExactConnectors?: true
  /** A domain with capitals in it is covered by no connector. */
  heedsCapitals?: true

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
  /** Certificates that are not valid yet do. */
  ignoresFuture?: true
  /** Self-signed certificates do, those of unknown authorities do not. */
  takesSelfSigned?: true
  /** A certificate does whose issuer is none but was certified by a trusted authority. */
  ignoresCaFlag?: true
  /** A name that goes on behind the expected one does: mail.partner.test.other.test for mail.partner.test. */
  comparesBeginning?: true
  /** The name of the mail exchanger, from DNS that nobody signed, does in place of the configured one. */
  takesMxName?: true
  /** At encryption only, names are compared and nothing else. */
  comparesNamesAtEncryptionOnly?: true
  /** In opportunistic mode mail waits when the certificate cannot be verified. */
  holdsUnverified?: true
  /** From the second attempt on any certificate does. */
  takesAnyCertificateAtRetry?: true
  /** At all mail exchangers but the first any certificate does. */
  takesAnyCertificateLater?: true
  /** At a host whose certificate was good once any certificate does. */
  trustsKnownHosts?: true
  /** A host that had TLS once is taken to have it: STARTTLS is used where it is offered, else it goes on in clear. */
  remembersTls?: true

  // The STARTTLS dialogue
  /** MAIL follows the first EHLO, whatever is offered, where TLS is not forced. */
  neverStartsTls?: true
  /** Replies that came in clear behind the go-ahead are taken as replies inside TLS. */
  believesEarlyBytes?: EarlyBytes
  /** Sends AUTH where it is listed. */
  usesAuth?: true
  /** Sends AUTH inside TLS where it was listed in clear. */
  usesClearAuth?: true
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
  /** A little after its delivery over TLS the whole message is sent once more, in clear. */
  copiesInClear?: true
  /** MAIL and RCPT follow STARTTLS in clear before it is answered, and again inside TLS. */
  pipelinesEnvelope?: true
  /** VRFY for the recipient in clear before STARTTLS. */
  verifiesInClear?: true
  /** The QUIT of a TLS session is sent in clear. */
  quitsInClear?: true
  /** A connection before each delivery looks whether STARTTLS is offered. */
  probesFirst?: true
  /** When the answer to the ClientHello is no TLS handshake, MAIL is sent in clear on the same connection. */
  staysOnBrokenConnection?: true
  /** After a broken handshake there is no second connection in clear: the message waits. */
  waitsAfterBrokenHandshake?: true
  /** A host that had no TLS once is taken never to have it: in clear, or returned when TLS is forced. */
  remembersNoTls?: true

  // Versions and suites
  minVersion?: 'TLSv1' | 'TLSv1.3'
  maxVersion?: 'TLSv1.2'
  /** Versions above the highest that is permitted are offered. */
  ignoresHighestVersion?: true
  /** Key exchange by RSA is offered where forward secrecy is demanded. */
  offersStaticRsa?: true
  /** After a broken handshake the next connection offers TLS 1.2 at most. */
  dancesDown?: true
  /** After a broken handshake the next connection offers TLS 1.0 and up. */
  stepsDown?: true
  /** CBC suites are offered before GCM. */
  prefersCbc?: true
  /** No suite with key exchange by RSA is offered. */
  offersEcdheOnly?: true
  /** AES128 is offered before AES256. */
  prefersShortKeys?: true
  /** Only the strongest suite is offered; refused, the message goes out in clear. */
  offersOneSuite?: true

  // Mail exchangers
  triesFirstHostOnly?: true
  /** Hosts with STARTTLS go before hosts without. */
  prefersSecureHosts?: true
  /** The last is tried first. */
  reversesHosts?: true

  // Messages
  /** What came in over TLS waits while the partner has no TLS. */
  holdsForwarded?: true
  /** What came in over TLS goes out in clear. */
  forwardsInClear?: true
  /** S/MIME is taken off: the envelope becomes plain text. */
  stripsSmime?: true
  /** A connection that was cut in the middle of a message counts as delivery. */
  takesCutForDelivery?: true
  /** After a cut only the second half is sent. */
  resumesWhereCut?: true
  /** What goes out over TLS gets a line of text added. */
  rewritesSecured?: true
  /** What had been held and was delivered is delivered once more a little later. */
  deliversHeldTwice?: true

  // Omissions
  /** Instead of holding a message back the whole gateway goes away. */
  crashesInsteadOfHolding?: true
  /** Forced mail goes out in clear and is called deferred. */
  deliversAndSaysDeferred?: true
  /** Forced mail that was held goes out in clear a little later, unasked. */
  deliversLater?: true
  /** After its first message every session ends with QUIT after EHLO, and the message waits. */
  tires?: true
}

/** Between taking mail in and sending it on. */
export interface QueueDefects {
  /** A message whose handshake broke is thrown away; its author is not told. */
  dropsAfterBrokenHandshake?: true
  /** It is called deferred and not tried again. */
  forgetsAfterBrokenHandshake?: true
  /** It is called delivered. */
  callsBrokenDelivered?: true
  /** What is called deferred is not tried again. */
  forgetsDeferred?: true
  /** What waits is never given up. */
  neverGivesUp?: true
  /** Notifications have a return path. */
  notifiesWithSender?: true
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
  /** That one waits in the queue until another attempt is asked for. */
  keepsAtChange?: true
  /** It ends by itself, 300 ms after it has said that a message is deferred. */
  crashesAfterHolding?: true
  /** Nothing is sent and nothing is said. */
  sleeps?: true
}

/** What the gateway says in headers, log and queue. */
export interface WordsDefects {
  /** The Received line says ESMTPS and names a version, always. */
  receivedAlwaysTls?: true
  /** The Received line says ESMTPS when a lower one does. */
  receivedFromLowerLine?: true
  /** The Received line says ESMTP and nothing of TLS, always. */
  receivedNeverTls?: true
  /** The Received line of a TLS session says TLSv1.3, always. */
  receivedFixedVersion?: true
  /** The Received line of a TLS session names the same suite, always, as OpenSSL calls it. */
  receivedFixedSuite?: true
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
  /** The log names the same suite for all TLS sessions. */
  logsFixedSuite?: true
  /** The reason of a deferral is the same for all: try again later. */
  hidesReasons?: true
}
