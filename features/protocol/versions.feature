Feature: TLS versions

  @EXO-VER-02 @must @sender
  Rule: The gateway supports TLS 1.2 as a sender

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

  @EXO-VER-02 @must @receiver
  Rule: The gateway supports TLS 1.2 as a receiver

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.2 and TLS 1.3
      When the client delivers a message
      Then the gateway accepts the message over TLS

    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

  @EXO-VER-03 @must @receiver
  Rule: The gateway refuses handshakes with TLS 1.0 and TLS 1.1 as a receiver

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

    Scenario Outline: a client with <version> at most
      Given the client supports <version> at most
      When the client delivers a message
      Then the gateway refuses the TLS handshake

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @EXO-VER-04 @must @sender
  Rule: The gateway neither uses nor offers TLS 1.0 or TLS 1.1 as a sender

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of a version older than TLS 1.2

    Scenario Outline: a partner with <version> at most
      Given the partner supports <version> at most
      When the gateway sends a message to the partner
      Then the wire shows no TLS session older than TLS 1.2
      And the wire shows no offer of a version older than TLS 1.2

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @EXO-VER-04 @must @sender
  Rule: The gateway does not offer TLS 1.0 or TLS 1.1 as a sender, whatever the level of the connector

    Background:
      Given the partner supports TLS 1.2 at most

    @control
    Example: a connector that uses opportunistic TLS
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of a version older than TLS 1.2

    Scenario Outline: a connector that <demand>
      Given an outbound connector that <demand> for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of a version older than TLS 1.2

      Examples:
        | demand                          |
        | requires encryption only        |
        | requires certificate validation |
        | requires domain validation      |

  @EXO-OPP-02 @must @sender
  Rule: The gateway uses the highest TLS version that the partner supports, and offers no lower one after a failed handshake

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over the highest TLS version of the gateway
      And the wire shows a single connection

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows a single connection

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the wire shows no later handshake with a lower version

      Examples:
        | fault                                            |
        | ends the TLS handshake with an alert             |
        | closes the connection instead of a TLS handshake |
        | resets the connection during the TLS handshake   |
        | sends garbage instead of a TLS handshake         |
