@sender
Feature: Forced TLS on an outbound connector
  An outbound connector can demand TLS for the domains that it names. Mail for them waits rather than going out in
  clear.

  @EXO-FRC-01
  Rule: Without STARTTLS on the other side, forced mail stays queued

    @control
    Example: a partner with TLS gets the mail
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without TLS gets nothing
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

  @EXO-FRC-04
  Rule: A message held for want of TLS goes out by itself once the partner has TLS again

    @control @retry
    Example: a partner that has TLS all the time
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And it arrives exactly once

    @retry
    Example: a partner that has TLS again at the next attempt
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And it arrives exactly once

  @EXO-FRC-06 @encryption-only
  Rule: Encryption only: a TLS channel is a must, the certificate does not matter

    @control
    Example: a good certificate
      Given an outbound connector that requires encryption only
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate that is <flaw>
      Given an outbound connector that requires encryption only
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | expired          |
        | for another name |

    Example: no STARTTLS
      Given an outbound connector that requires encryption only
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

  @EXO-FRC-07 @certificate-validation
  Rule: Certificate validation: no mail for a chain without a trusted root or a certificate outside its dates

    @control
    Example: a good certificate
      Given an outbound connector that requires certificate validation
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate that is <flaw>
      Given an outbound connector that requires certificate validation
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

      Examples:
        | flaw                      |
        | from an unknown authority |
        | self-signed               |
        | expired                   |
        | not yet valid             |
        | issued by no authority    |

    Example: no STARTTLS
      Given an outbound connector that requires certificate validation
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear
