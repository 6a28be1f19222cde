/**
 * The ways in which a lawful partner may differ from the plain one, which is what holds where a key is absent: none of
 * them may matter to a gateway. A partner keeps its manner on every connection, whatever faults its behaviour demands;
 * where a fault is about the same thing, the fault counts.
 */
export const PARTNER_MANNERS = {
  /**
   * Where the gateway finds the partner. Plain: at its first mail exchanger, which has an IPv4 address. Nobody listens at
   * the first mail exchanger of a partner that is found at its second. RFC 5321 s5.1 and s5.2. The manner of the first
   * mail exchanger decides for all.
   */
  place: ['at its second mail exchanger', 'at an IPv6 address'],
  /**
   * Plain: `220 HOST ESMTP` at once. RFC 5321 s4.2 and s4.3.1. A client waits for it up to five minutes (s4.5.3.2.1), and
   * 150 ms are within every bound.
   */
  greeting: ['in three lines', 'in lower case', 'without ESMTP', 'after 150 ms'],
  /** Plain: STARTTLS stands last. Keywords come in any order: RFC 5321 s4.1.1.1. */
  starttlsPlace: ['first', 'in the middle'],
  /** Plain: capitals. Case does not matter in keywords: RFC 5321 s2.4 and s4.1.1.1. */
  keywordCase: ['all in lower case', 'STARTTLS in lower case', 'STARTTLS in mixed case'],
  /** Plain: a line for the host name alone and one for each extension. Clients ignore other keywords: RFC 5321 s2.2.1. */
  ehloLines: ['keywords that nobody knows', '100 lines', 'text behind the host name'],
  /** An extension that the partner does not have; each is optional. Plain: it has all four. RFC 5321 s2.2.1. */
  withholds: ['PIPELINING', '8BITMIME', 'SIZE', 'ENHANCEDSTATUSCODES'],
  /** Plain: none of these. With CHUNKING the partner takes BDAT. RFC 3030 s2, RFC 3461 s4, RFC 6531 s3. */
  offers: ['CHUNKING', 'DSN', 'SMTPUTF8', 'CHUNKING, DSN and SMTPUTF8'],
  /**
   * What stands behind SIZE. Plain: 2097152 bytes, which is as much as the partner takes in any case. RFC 1870 s3: 0 means
   * that no maximum is fixed, and there may be no number.
   */
  size: [0, 10_737_418_240, 'without a number'],
  /**
   * How replies to commands are worded, apart from those to EHLO and HELO. Plain: one line with an enhanced status code.
   * Clients act on the code alone: RFC 5321 s4.2, s4.2.1 and s4.5.3.1.5, RFC 2034 s3. Without enhanced status codes, the
   * partner does not list their keyword.
   */
  replies: ['without enhanced status codes', 'in lower case', 'in several lines', 'of 512 octets'],
  /** To RCPT. Plain: 250. RFC 5321 s3.4. */
  recipientReply: [251],
  /** Plain: each reply at once and in one write. RFC 5321 s4.5.3.2, RFC 9293 s3.7. */
  speed: [
    'reply to EHLO after 150 ms',
    'go-ahead after 150 ms',
    'reply to the content after 150 ms',
    'replies in single bytes',
  ],
  /** Plain: the partner closes the connection at once when it has answered QUIT. RFC 5321 s4.1.1.10. */
  close: ['left to the gateway for 2 s'],
  /**
   * Of TLS. Plain: each flight in one write, in records as large as it takes. Records of 512 bytes begin with the
   * certificate in TLS 1.3, and behind the handshake in TLS 1.2. RFC 8446 s5.1, RFC 9293 s3.7.
   */
  tlsWrites: ['records of 512 bytes', 'pieces of 100 bytes'],
  /** Plain: TLS 1.3. RFC 9325 s3.1.1. */
  tlsVersion: ['TLS 1.2 at most'],
  /** The key exchange group that the partner prefers; it takes others, too. RFC 8446 s4.2.7, RFC 8422 s5.1.1. */
  group: ['X25519', 'P-256', 'P-384'],
  /**
   * Plain: it is not asked for. A partner that asks takes mail without a certificate. RFC 8446 s4.3.2, RFC 5246 s7.4.4,
   * where the list of authorities may be empty.
   */
  clientCertificate: ['asked for', 'asked for without names of authorities'],
  /**
   * Plain: RSA 2048. A partner with one of the last three has a certificate of an RSA key as well, for clients that do not
   * offer the signature. RFC 8446 s4.2.3 and s9.1, RFC 8422 s5.1, RFC 8410.
   */
  certificateKey: ['RSA 3072', 'RSA 4096', 'ECDSA P-256', 'ECDSA P-384', 'Ed25519'],
  /**
   * Plain: the partner shows its own certificate to all. By server name: it shows one for another name to clients that name
   * no server. RFC 6066 s3.
   */
  certificateChoice: ['by server name'],
  /** Plain: the intermediate alone. Clients should be prepared for more: RFC 8446 s4.4.2. RFC 5280 s6.1. */
  certificateChain: [
    'with its root',
    'with its root as an expired authority signed it',
    'with a certificate of another chain',
  ],
  /**
   * Plain: two tickets, which the partner does not take again. Short ones name a session of the partner; there are none up
   * to TLS 1.2. Those that are taken again resume a session. RFC 8446 s4.6.1 and s2.2, RFC 5077 s3.
   */
  tickets: ['short ones', 'taken again'],
} as const satisfies Record<string, readonly (string | number)[]>

/** How a lawful partner talks to the gateway; an absent key is the plain way. JSON only: a partner may play elsewhere. */
export type PartnerManner = { [K in keyof typeof PARTNER_MANNERS]?: (typeof PARTNER_MANNERS)[K][number] }
