@sender
Feature: Partners with several mail exchangers

  @RFC5321-01 @must
  Rule: If the handshake with one mail exchanger fails, the gateway tries the next one, in order of preference

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: three mail exchangers without a fault
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the handshake fails at the first one
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert |
        | offers STARTTLS                      |
        | offers STARTTLS                      |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 2

  @RFC5321-01 @must
  Rule: If TLS is optional and a mail exchanger offers no STARTTLS, the gateway uses it and does not try the next one

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: three mail exchangers without a fault
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the first one offers no STARTTLS
      Given the partner's mail exchangers, in order of preference
        | does not offer STARTTLS |
        | offers STARTTLS         |
        | offers STARTTLS         |
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message arrives at mail exchanger 1

  @RFC5321-01 @must
  Rule: The gateway requires the same of the next mail exchanger as of the first

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: three mail exchangers without a fault
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the handshake fails at the first one, and the others show self-signed certificates
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert    |
        | shows a certificate that is self-signed |
        | shows a certificate that is self-signed |
      When the gateway sends a message to the partner
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

  @EXO-FRC-02 @must
  Rule: If no handshake succeeds and the connector requires TLS, the gateway sends nothing unencrypted to any mail exchanger, at any attempt

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner without a fault
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: three mail exchangers without a fault
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: the handshake fails at two mail exchangers, and the last one offers no STARTTLS
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert             |
        | closes the connection instead of a TLS handshake |
        | does not offer STARTTLS                          |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway tries up to 3 times to send a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                                                       |
        | resets the connection during the TLS handshake                              |
        | sends garbage instead of a TLS handshake                                    |
        | answers the TLS handshake with an unencrypted reply                         |
        | closes TLS instead of a TLS handshake and goes on unencrypted               |
        | sends garbage instead of a TLS handshake and goes on unencrypted            |
        | ends the TLS handshake with an alert and goes on unencrypted                |
        | answers the TLS handshake with an unencrypted reply and goes on unencrypted |
        | supports TLS 1.1 at most                                                    |

  @EXO-FRC-02 @must
  Rule: If the connector requires TLS and the handshake fails, the gateway says that the message waits for TLS

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner whose handshake fails
      Given the partner ends the TLS handshake with an alert
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names TLS

  @EXO-FRC-02 @must
  Rule: If the connector requires TLS and TLS fails late or for long, the gateway sends nothing unencrypted

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the wire shows no unencrypted part of the message

      Examples:
        | fault                                                     |
        | falls silent in the TLS handshake                         |
        | falls silent at EHLO inside TLS                           |
        | demands a client certificate                              |
        | demands a client certificate and supports TLS 1.2 at most |
