@sender
Feature: An attacker on the path removes or corrupts STARTTLS
  To the gateway, a partner whose STARTTLS an attacker has removed or corrupted looks like a partner that does the same itself.

  @DGR-01
  Rule: If an attacker removes STARTTLS and the connector requires TLS, the gateway does not send the message

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: STARTTLS is not removed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: STARTTLS is removed
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

  @DGR-01
  Rule: If an attacker removes STARTTLS after a first message has passed and the connector requires TLS, the gateway does not send the later message

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: STARTTLS is not removed
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: STARTTLS is removed after the first connection
      Given the partner does not offer STARTTLS after the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message is held back
      And the wire shows no unencrypted part of the message

  @DGR-01
  Rule: If an attacker removes STARTTLS and TLS is optional, the gateway sends the message unencrypted

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

  @DGR-02
  Rule: If an attacker corrupts STARTTLS or the reply to it and the connector requires TLS, the gateway does not send the message

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: nothing is corrupted
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                |
        | offers STARTTLS under a garbled name |
        | refuses STARTTLS with 500            |
        | refuses STARTTLS with 502            |
        | refuses STARTTLS with 454            |
        | refuses STARTTLS with 554            |
        | refuses STARTTLS with 421            |
        | falls silent at STARTTLS             |
        | closes the connection after STARTTLS |

  @DGR-02
  Rule: If an attacker corrupts STARTTLS or the reply to it and TLS is optional, the gateway sends the message unencrypted or holds it back

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: nothing is corrupted
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or is held back

      Examples:
        | fault                                |
        | offers STARTTLS under a garbled name |
        | refuses STARTTLS with 500            |
        | refuses STARTTLS with 454            |
