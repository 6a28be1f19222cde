@sender
Feature: Forced TLS on an outbound connector
  An outbound connector can require TLS for the domains that it names. The gateway keeps mail for these domains rather
  than send it unencrypted.

  @EXO-FRC-01
  Rule: If the partner does not offer STARTTLS, the message stays queued

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-04
  Rule: A message that waits for TLS is sent once the partner has TLS again

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that has TLS all the time
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once

    Example: a partner that has TLS again at the next attempt
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once

  @EXO-FRC-06
  Rule: Encryption only: TLS is required, the certificate does not matter

    Background:
      Given an outbound connector that requires encryption only for the partner's domain

    @control
    Example: a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | expired          |
        | for another name |

    Example: no STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-07
  Rule: Certificate validation: no mail for a certificate without a trusted root or outside its validity

    Background:
      Given an outbound connector that requires certificate validation for the partner's domain

    @control
    Example: a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                      |
        | from an unknown authority |
        | self-signed               |
        | expired                   |
        | not yet valid             |
        | issued by no authority    |

    Example: no STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message
