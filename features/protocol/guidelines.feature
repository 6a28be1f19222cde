Feature: Guidelines of governments
  Each guideline has tables of what is allowed: versions, suites, groups, signature algorithms, kinds and sizes of keys, and
  options of TLS. What a table forbids breaks the requirement. What it
  wants to be phased out does not. The verdict names the guideline and the year of its tables.

  @NIST-01 @must @receiver
  Rule: The gateway accepts TLS 1.3, TLS 1.2 and the suites that NIST allows, and nothing that NIST forbids

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers everything
      Given the client offers everything that the lab knows
      When the lab probes the TLS of the gateway
      Then the gateway accepts only versions and suites that NIST allows

  @NIST-01 @must @sender
  Rule: The gateway offers TLS 1.3, TLS 1.2 and the suites that NIST allows, and nothing that NIST forbids

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of versions and suites that NIST forbids

  @NIST-02 @should @receiver
  Rule: The gateway accepts no group, signature algorithm or option that NIST forbids, and shows no key that NIST forbids

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers everything
      Given the client offers everything that the lab knows
      When the lab probes the TLS of the gateway
      Then the gateway accepts only groups, signatures, keys and options that NIST allows

  @NIST-02 @should @sender
  Rule: The gateway offers no group, signature algorithm or option that NIST forbids

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of groups, signature algorithms and options that NIST forbids

  @BSI-02 @must @receiver
  Rule: The gateway accepts only what the tables of BSI allow

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers everything
      Given the client offers everything that the lab knows
      When the lab probes the TLS of the gateway
      Then the gateway accepts only what BSI allows

  @BSI-02 @must @sender
  Rule: The gateway uses TLS with every partner that has it, and offers only what the tables of BSI allow

    Background:
      Given the gateway is set up to use only what the guidelines of governments allow
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of what BSI forbids

  @NCSC-01 @should @receiver
  Rule: The gateway accepts no version and no suite that NCSC calls insufficient

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers everything
      Given the client offers everything that the lab knows
      When the lab probes the TLS of the gateway
      Then the gateway accepts no version and no suite that NCSC calls insufficient

  @NCSC-02 @should @receiver
  Rule: The gateway accepts no group, signature algorithm or option that NCSC calls insufficient, and shows no such key

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers everything
      Given the client offers everything that the lab knows
      When the lab probes the TLS of the gateway
      Then the gateway accepts no group, signature, key or option that NCSC calls insufficient
