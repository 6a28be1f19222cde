@receiver
Feature: The TLS that the gateway accepts
  The lab finds out once in a run what the gateway accepts, with a connection for each question. A server learns only
  after the handshake who the client is. So what it accepts of anybody, it accepts also of clients that must use TLS.

  @EXO-VER-07 @must
  Rule: The gateway refuses SSL 2 and SSL 3

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with TLS 1.2 in a record of an old version
      Given the client offers only TLS 1.2, in a record of version 3.0
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Scenario Outline: a client with <version>
      Given the client offers only <version>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers

      Examples:
        | version |
        | SSL 3   |
        | SSL 2   |

  @RFC8996-01 @must
  Rule: The gateway answers a client that has only TLS 1.0 or TLS 1.1 with the alert protocol_version

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with TLS 1.2 in a record of an old version
      Given the client offers only TLS 1.2, in a record of version 3.0
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Scenario Outline: a client with <version>
      Given the client offers only <version>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers, with the alert protocol_version

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @BCP-01 @must
  Rule: The gateway accepts TLS 1.2, and chooses TLS 1.3 if both the gateway and the client support TLS 1.3

    @control
    Example: a client with TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with TLS 1.2 that sends a long ClientHello
      Given the client offers only TLS 1.2, in several records and segments
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with TLS 1.2 and TLS 1.3
      Given the client offers TLS 1.2 and TLS 1.3
      When the lab probes the TLS of the gateway
      Then the gateway chooses the newest version that it accepts

  @BCP-02 @must
  Rule: The gateway accepts no suite with less than 112 bits of strength

    @control
    Example: a client with any suite of TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Scenario Outline: a client with <suites>
      Given the client offers only <suites>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers

      Examples:
        | suites                      |
        | suites that encrypt nothing |
        | suites with RC4             |
        | suites of export strength   |
        | suites with DES or RC2      |

  @BCP-03 @should
  Rule: The gateway prefers suites with ECDHE and AEAD, whatever the client prefers

    @control
    Example: a client that offers suites with ECDHE and AEAD first
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers suites with ECDHE and AEAD last
      Given the client offers suites with ECDHE and AEAD last
      When the lab probes the TLS of the gateway
      Then the gateway chooses a suite with ECDHE and AEAD
