@sender
Feature: An attacker on the path shows a certificate of its own
  To the gateway, an attacker that takes the place of the partner looks like the partner.

  @DGR-03 @must
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
      Then the message stays queued
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

  @DGR-03 @must
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
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @DGR-03 @must
  Rule: The gateway sends no mail that requires domain validation to an attacker that comes after a first message has passed

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: no attacker
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: an attacker that shows a self-signed certificate from the second connection on
      Given the partner shows a certificate that is self-signed from the second connection on
      When the gateway sends the partner two messages, one after the other
      Then the later message stays queued
      And the wire shows no unencrypted part of the message

  @DGR-03 @must
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

  @ID-04 @should
  Rule: The gateway sends no mail that requires domain validation to the host of a forged MX record, whatever name this host has
    Where DNS is not signed, an attacker chooses the host. That the host's certificate is for the host proves nothing.

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: the right MX record
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a forged MX record
      Given a forged MX record leads to an attacker's host, whose certificate is for this host
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @ID-04 @should
  Rule: The gateway's log does not call a session with the host of a forged MX record verified, although this host's certificate is for the host

    Background:
      Given the gateway logs its TLS sessions
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: the right MX record
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session encrypted

    Example: a forged MX record
      Given a forged MX record leads to an attacker's host, whose certificate is for this host
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session unverified
