@receiver
Feature: Forced TLS on an inbound connector
  An inbound connector can demand TLS, or TLS with a certificate, from senders of the domains that it names.

  @EXO-FRC-11 @inbound-required
  Rule: Mail without TLS is rejected before it is stored

    @control
    Example: the partner sends over TLS
      Given an inbound connector that requires TLS for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

    Example: the partner sends in clear
      Given an inbound connector that requires TLS for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway refuses the message for want of TLS
      And it does not reach the mailbox

    Scenario Outline: the partner sends in clear and <ruse>
      Given an inbound connector that requires TLS for the sender's domain
      And the sender does not use TLS and <ruse>
      When the sender delivers a message
      Then the gateway refuses the message for want of TLS

      Examples:
        | ruse                                     |
        | begins with a message of somebody else's |
        | writes its domain in capitals            |

  @EXO-FRC-12 @client-certificates
  Rule: A partner that must show a certificate is not let in without one

    @control
    Example: with a certificate
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a good certificate
      When the sender delivers a message
      Then the gateway accepts the message
      And the gateway asked for the sender's certificate

    Example: without a certificate
      Given an inbound connector that requires a certificate with the partner's name
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway refuses the message
      And the gateway asked for the sender's certificate

    Example: without TLS
      Given an inbound connector that requires a certificate with the partner's name
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway refuses the message

  @EXO-FRC-13 @client-certificates
  Rule: A certificate with another name does not authenticate the partner

    @control
    Example: a name below the expected wildcard
      Given an inbound connector that requires a certificate for *.partner.test
      And the sender's certificate names mail.partner.test
      When the sender delivers a message
      Then the gateway accepts the message

    Scenario Outline: a certificate for <name>
      Given an inbound connector that requires a certificate for *.partner.test
      And the sender's certificate names <name>
      When the sender delivers a message
      Then the gateway refuses the message

      Examples:
        | name                         |
        | partner.test                 |
        | mail.other.test              |
        | mail.evilpartner.test        |
        | mail.partner.test.other.test |
        | mail.certified.test          |

  @EXO-FRC-15 @client-certificates
  Rule: A partner's restrictions do not touch mail of others

    @control
    Example: the partner with its certificate
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a good certificate
      When the sender delivers a message
      Then the gateway accepts the message

    Example: a stranger in clear, for its own domain
      Given no inbound connector for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

    Example: a stranger in clear, for the partner's domain
      Given an inbound connector that requires a certificate with the partner's name
      And the sender does not use TLS and greets as somebody else
      When the sender delivers a message
      Then the gateway refuses the message

  @EXO-CON-01 @inbound-required
  Rule: A connector for incoming mail protects that direction only

    @control
    Example: the partner sends over TLS
      Given an inbound connector that requires TLS for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message

    Example: the partner sends in clear
      Given an inbound connector that requires TLS for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway refuses the message

    Example: a reply to the partner, which has no STARTTLS
      Given an inbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
