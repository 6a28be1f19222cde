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

  @EXO-FRC-05
  Rule: Forced TLS binds the domains that it names and no others

    @control
    Example: a partner with TLS in the connector's domain
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without TLS in the connector's domain
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: a partner without TLS in another domain
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: a partner without TLS in a sub-domain that the connector does not cover
      Given an outbound connector that requires TLS for the parent of the partner's domain only
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

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

  @EXO-CON-02
  Rule: A connector for outgoing mail does not make the incoming direction demand TLS

    @control
    Example: mail to a partner with TLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a reply while the partner has no TLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: mail from the partner in clear
      Given an outbound connector that requires TLS for the partner's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

  @EXO-CON-04
  Rule: The most specific connector decides

    @control
    Example: the general connector and a partner with TLS
      Given a connector that requires TLS for all sub-domains and another that exempts some of them
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the general connector and a partner without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts some of them
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: an exempted domain without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts the partner's own
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: a domain below an exempted one, without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts those around the partner's
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
