@sender
Feature: Partners that refuse STARTTLS temporarily

  @RFC3207-03 @must
  Rule: If the partner refuses STARTTLS temporarily and the connector requires TLS, the gateway waits and sends the message over TLS later

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that does not refuse STARTTLS
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: a partner that refuses STARTTLS on the first 2 connections
      Given the partner refuses STARTTLS with 454 on the first 2 connections
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

  @RFC3207-03 @must
  Rule: If the partner refuses STARTTLS temporarily and TLS is optional, the gateway sends the message unencrypted or keeps it queued

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that does not refuse STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that refuses STARTTLS
      Given the partner refuses STARTTLS with 454
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued

  @RFC3207-03 @must
  Rule: After a partner has refused STARTTLS temporarily, the gateway uses TLS for a later message to this partner

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that does not refuse STARTTLS
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: a partner that refuses STARTTLS on the first connection
      Given the partner refuses STARTTLS with 454 on the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
