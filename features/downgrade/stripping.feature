@sender
Feature: An attacker on the path removes or corrupts STARTTLS
  To the gateway, a partner whose STARTTLS an attacker has removed or corrupted looks like a partner that does the same itself.

  @DGR-01 @must
  Rule: If an attacker removes STARTTLS and the connector requires TLS, the gateway keeps the message queued

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: STARTTLS is not removed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: STARTTLS is removed
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @DGR-01 @must
  Rule: If an attacker removes STARTTLS after a first message has passed and the connector requires TLS, the gateway keeps the later message queued

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: STARTTLS is not removed
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: STARTTLS is removed from the second connection on
      Given the partner does not offer STARTTLS from the second connection on
      When the gateway sends the partner two messages, one after the other
      Then the later message stays queued
      And the wire shows no unencrypted part of the message

  @DGR-01 @must
  Rule: If an attacker removes STARTTLS and TLS is optional, the gateway sends the message unencrypted
    Optional TLS does not protect against this attacker. An administrator who needs protection requires TLS.

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: STARTTLS is not removed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: STARTTLS is removed
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

  @DGR-02 @must
  Rule: If an attacker corrupts STARTTLS or the reply to it and the connector requires TLS, the gateway does not send the message
    If the reply to STARTTLS is a permanent refusal, a gateway may return the message at once.

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: nothing is corrupted
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                |
        | offers STARTTLS under a garbled name |
        | refuses STARTTLS with 454            |
        | refuses STARTTLS with 421            |
        | falls silent at STARTTLS             |
        | closes the connection after STARTTLS |

    Scenario Outline: an attacker that refuses STARTTLS permanently, with <code>
      Given the partner refuses STARTTLS with <code>
      When the gateway sends a message to the partner
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

      Examples:
        | code |
        |  500 |
        |  502 |
        |  554 |

  @DGR-02 @must
  Rule: If an attacker corrupts STARTTLS or the reply to it and TLS is optional, the gateway sends the message unencrypted or keeps it queued
    If the reply to STARTTLS is a permanent refusal, a gateway may also return the message at once. It must not lose the
    message: to say that the message was delivered, although it did not arrive.

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: nothing is corrupted
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued

      Examples:
        | fault                                |
        | offers STARTTLS under a garbled name |
        | refuses STARTTLS with 454            |

    Example: an attacker that refuses STARTTLS permanently
      Given the partner refuses STARTTLS with 500
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or does not arrive
