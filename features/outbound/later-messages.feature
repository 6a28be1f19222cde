@sender
Feature: Later messages and attempts for which TLS is optional
  What happened before does not change that the gateway tries TLS first.

  @EXO-OPP-01 @must
  Rule: Where TLS is optional, the gateway starts TLS also at a later attempt, after a first one that failed without a fault in TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that takes mail at once
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner that turns the gateway away at first
      Given the partner turns the gateway away with 421 on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

  @EXO-OPP-01 @must
  Rule: Where TLS is optional, the gateway starts TLS for a later message to the same partner, whatever became of the first message

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner without a fault
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner that shows a self-signed certificate from the second connection on
      Given the partner shows a certificate that is self-signed from the second connection on
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner whose handshake fails on the first connection
      Given the partner ends the TLS handshake with an alert on the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
