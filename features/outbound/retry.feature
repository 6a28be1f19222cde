@sender
Feature: Other mail exchangers, later attempts, and messages that the gateway gives up

  @RFC5321-01
  Rule: After TLS trouble at one mail exchanger the gateway tries the next, in order of preference

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: three good mail exchangers
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the handshake fails at the first
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert |
        | offers STARTTLS                      |
        | offers STARTTLS                      |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 2

  @RFC5321-01
  Rule: Where TLS is not required, a mail exchanger without STARTTLS is no reason to try the next

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: three good mail exchangers
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the first has no STARTTLS
      Given the partner's mail exchangers, in order of preference
        | does not offer STARTTLS |
        | offers STARTTLS         |
        | offers STARTTLS         |
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message arrives at mail exchanger 1

  @RFC5321-01
  Rule: The next mail exchanger has to meet the same requirements

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: three good mail exchangers
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives at mail exchanger 1

    Example: the handshake fails at the first, and the others show self-signed certificates
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert    |
        | shows a certificate that is self-signed |
        | shows a certificate that is self-signed |
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

  @EXO-FRC-02
  Rule: If no handshake can be finished, forced TLS holds on every mail exchanger and at every attempt

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: three good mail exchangers
      Given the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: the handshake fails at two mail exchangers, and the last has no STARTTLS
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert             |
        | closes the connection instead of a TLS handshake |
        | does not offer STARTTLS                          |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                               |
        | resets the connection during the TLS handshake      |
        | sends garbage instead of a TLS handshake            |
        | answers the TLS handshake with an unencrypted reply |
        | supports TLS 1.1 at most                            |

  @RFC5321-02
  Rule: After a first failure, a message that waits for TLS stays queued

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain

    @control
    Example: the partner has TLS again at the second attempt
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Example: the partner has no TLS at the second attempt either
      Given the partner does not offer STARTTLS
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued

  @RFC5321-02
  Rule: When the gateway gives up a message that waited for TLS, it tells the author once

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain

    @control
    Example: the partner has TLS again in time
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Example: the partner has no TLS at any attempt
      Given the partner does not offer STARTTLS
      When the gateway tries to send a message to the partner until it gives up
      Then the author gets one notification with a null return path

  @RFC5321-02
  Rule: When the gateway gives up a message without return path, it tells nobody

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the message has no return path

    @control
    Example: the partner has TLS again in time
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Example: the partner has no TLS at any attempt
      Given the partner does not offer STARTTLS
      When the gateway tries to send a message to the partner until it gives up
      Then nobody gets a notification

  @RFC3207-03
  Rule: After a temporary refusal of STARTTLS, a message that requires TLS waits and is sent over TLS

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: no refusal
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: two refusals
      Given the partner refuses STARTTLS with 454 on the first 2 connections
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

  @RFC3207-03
  Rule: After a temporary refusal of STARTTLS, a message that does not require TLS goes out unencrypted or waits

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: no refusal
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a refusal
      Given the partner refuses STARTTLS with 454
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued

  @RFC3207-03
  Rule: The gateway forgets a temporary refusal of STARTTLS by the next session

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: no refusal
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: a refusal on the first connection
      Given the partner refuses STARTTLS with 454 on the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
