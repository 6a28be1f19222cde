@sender
Feature: Choices that the gateway leaves to its partners

  @BCP-01 @must
  Rule: The gateway sends over TLS 1.2 and over TLS 1.3, and over TLS 1.3 if the partner has both

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over the highest TLS version of the gateway

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with only TLS 1.3
      Given the partner supports only TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.3, if the gateway offers this version

  @BCP-03 @should
  Rule: If a partner lets the gateway choose, the gateway prefers suites with ECDHE and AEAD

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows a session with forward secrecy

    Scenario Outline: a partner that lets the gateway choose between <suite> and one with ECDHE and AEAD
      Given the partner lets the gateway choose between <suite> and TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
      When the gateway sends a message to the partner
      Then the message arrives over TLS with TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, if the gateway offers this suite

      Examples:
        | suite                                 |
        | TLS_RSA_WITH_AES_256_GCM_SHA384       |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    |
        | TLS_DHE_RSA_WITH_AES_256_GCM_SHA384   |

  @EXO-CIP-03 @must
  Rule: Where TLS is optional, the gateway accepts any suite that the partner chooses of those that the gateway offers

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that prefers strong suites
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner that prefers weak suites
      Given the partner prefers the weakest suite of the profile
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner that chooses what was not offered
      Given the partner answers the ClientHello with a suite that the gateway does not offer
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off

    Example: a partner without TLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

  @M3-01 @should
  Rule: Where TLS is optional, the gateway sends over TLS with forward secrecy

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 and TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows a session with forward secrecy

    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows a session with forward secrecy

  @EXO-VER-05 @observed
  Rule: Where TLS is optional, the gateway sends unencrypted to a partner that has only TLS 1.0, or keeps the mail

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with TLS 1.0 at most
      Given the partner supports TLS 1.0 at most
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued

  @EXO-VER-05 @observed
  Rule: Where TLS is required, the gateway keeps mail for a partner that has only TLS 1.0

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with TLS 1.0 at most
      Given the partner supports TLS 1.0 at most
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message
