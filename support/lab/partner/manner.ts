/**
 * How a lawful partner talks, as plain data: what a mail server may do in one way or another, so that none of it may
 * matter to a gateway. Each field is one dimension, each absent field is the plain manner. A manner applies on every
 * connection, whatever faults the behaviour demands; where a fault concerns the same thing, the fault counts.
 */
export interface PartnerManner {
  /**
   * The greeting (RFC 5321 s4.2, s4.3.1). Plain: `220 HOST ESMTP` at once. A sender waits up to five minutes for it
   * (s4.5.3.2.1); one second is within every bound.
   */
  greeting?: 'in three lines' | 'in lower case' | 'without ESMTP' | 'after one second'
  /** Where STARTTLS stands among the keywords: any order is good (RFC 5321 s4.1.1.1). Plain: last. */
  starttlsPlace?: 'first' | 'in the middle'
  /** How keywords are written: case does not count (RFC 5321 s2.4, s4.1.1.1). Plain: in capitals. */
  keywordCase?: 'all in lower case' | 'STARTTLS in lower case' | 'STARTTLS in mixed case'
  /**
   * What else the answer to EHLO has: a client ignores keywords that it does not know (RFC 5321 s2.2.1, s4.1.1.1).
   */
  ehloLines?: 'keywords that nobody knows' | '100 lines' | 'text behind the host name'
  /**
   * A keyword that the partner does not list: each extension is optional (RFC 5321 s2.2.1). Plain: it lists all four.
   */
  withholds?: 'PIPELINING' | '8BITMIME' | 'SIZE' | 'ENHANCEDSTATUSCODES'
  /**
   * Extensions that the partner lists besides. With CHUNKING it takes BDAT (RFC 3030), with DSN the parameters of RFC
   * 3461, with SMTPUTF8 those of RFC 6531. Plain: none of them.
   */
  offers?: 'CHUNKING' | 'DSN' | 'SMTPUTF8' | 'CHUNKING, DSN and SMTPUTF8'
  /**
   * What stands behind SIZE: bytes of the largest message (RFC 1870 s4). 0: there is no fixed maximum. It may be left
   * out. The partner takes 2 MiB whatever it says. Plain: 2097152.
   */
  size?: number | 'without a number'
  /**
   * How replies to commands are worded, EHLO and HELO apart. A client acts on the code alone (RFC 5321 s4.2); several
   * lines (s4.2.1), 512 octets in a line (s4.5.3.1.5), and no text at all (s4.2) are permitted. Enhanced status codes
   * belong to an extension (RFC 2034); without them the keyword is not listed either.
   */
  replies?:
    | 'without enhanced status codes'
    | 'in lower case'
    | 'in several lines'
    | 'of 512 octets'
    | 'of the code alone'
  /** The answer to RCPT (RFC 5321 s3.4): 251 takes the recipient as 250 does. Plain: 250. */
  recipientReply?: 251
  /** How fast it answers; a sender waits for minutes (RFC 5321 s4.5.3.2). Plain: at once, each reply in one write. */
  speed?: 'each reply after 300 ms' | 'replies in single bytes'
  /** Who closes the connection after 221 (RFC 5321 s4.1.1.10). Plain: the partner, at once. */
  close?: 'left to the gateway for 2 s'
  /** The highest version (RFC 9325 s3.1.1). A `tls` of the behaviour that names versions counts. Plain: TLS 1.3. */
  tlsVersion?: 'TLS 1.2 at most'
  /** The key exchange group that it prefers (RFC 8446 s4.2.7, RFC 8422 s5.1.1); it takes the others, too. */
  group?: 'X25519' | 'P-256' | 'P-384'
  /**
   * It asks for the client's certificate and takes mail without one (RFC 8446 s4.3.2, RFC 5246 s7.4.4). The names of
   * authorities in that request may be missing.
   */
  clientCertificate?: 'asked for' | 'asked for without names of authorities'
}
