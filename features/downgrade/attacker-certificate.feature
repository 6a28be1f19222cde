@sender
Feature: An attacker on the path shows a certificate of its own
  To the gateway, an attacker that takes the place of the partner looks like the partner.

  @DGR-03
  Rule: The gateway sends no mail that requires domain validation to an attacker on the path

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                                                              |
        | shows a certificate that is self-signed                                            |
        | shows a certificate that is for another name                                       |
        | does not offer STARTTLS                                                            |
        | refuses STARTTLS with 454                                                          |
        | ends the TLS handshake with an alert                                               |
        | ends the TLS handshake with an alert and goes on unencrypted                       |
        | shows a certificate that is self-signed and goes on unencrypted when TLS has ended |

  @DGR-03
  Rule: The gateway sends no mail that requires domain validation to an attacker at a later attempt

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Example: an attacker that shows a self-signed certificate at both attempts
      Given the partner shows a certificate that is self-signed
      When the gateway tries up to 2 times to send a message to the partner
      Then the message is held back
      And the wire shows no unencrypted part of the message

  @DGR-03
  Rule: The gateway sends no mail that requires domain validation to an attacker that comes after a first message has passed

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: an attacker that shows a self-signed certificate after the first connection
      Given the partner shows a certificate that is self-signed after the first connection
      When the gateway sends the partner two messages, one after the other
      Then the later message is held back
      And the wire shows no unencrypted part of the message

  @DGR-03
  Rule: The gateway sends opportunistic mail over TLS even if the certificate is an attacker's

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: no attacker
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an attacker that shows a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | for another name |
