@sender
Feature: Somebody on the path shows a certificate of his own

  @DGR-03
  Rule: An attacker with a certificate of his own gets no validated mail

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                        |
        | shows a certificate that is self-signed      |
        | shows a certificate that is for another name |
        | does not offer STARTTLS                      |
        | refuses STARTTLS with 454                    |
        | ends the TLS handshake with an alert         |

  @DGR-03
  Rule: An attacker with a certificate of his own gets no validated mail at a later attempt

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Example: a self-signed certificate at both attempts
      Given the partner shows a certificate that is self-signed
      When the gateway tries up to 2 times to send a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

  @DGR-03
  Rule: An attacker with a certificate of his own gets no validated mail after a first message has passed

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: a self-signed certificate after the first connection
      Given the partner shows a certificate that is self-signed after the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message is held back
      And the wire shows no unencrypted part of the message

  @DGR-03
  Rule: An attacker with a certificate of his own gets opportunistic mail over TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: no attacker
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | for another name |
