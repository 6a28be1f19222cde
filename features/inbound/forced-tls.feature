Feature: Inbound connectors that require TLS or a certificate
  An inbound connector can require TLS, or TLS with a certificate, from clients of the domains that it names.

  @EXO-FRC-11 @must @receiver
  Rule: If a connector requires TLS, the gateway refuses a message without TLS and does not deliver it
    A message that was cancelled before and the case of letters change nothing: the sender of each message decides.

    Background:
      Given an inbound connector that requires TLS for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Scenario Outline: a client that <habit>
      Given the client <habit>
      When the client delivers a message
      Then the gateway refuses the message because TLS is missing
      And the message does not reach the mailbox

      Examples:
        | habit                                                                          |
        | does not use TLS                                                               |
        | does not use TLS and first begins a message from another domain and cancels it |
        | does not use TLS and writes its domain in capitals                             |

    Example: a client that goes on unencrypted on the connection on which the handshake has failed
      Given the client breaks the TLS handshake and delivers unencrypted on the same connection
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

  @EXO-FRC-12 @must @receiver
  Rule: If a connector requires a certificate, the gateway asks the client for one and refuses mail from a client without one

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway asks for the client's certificate

    Example: a client without a certificate
      When the client delivers a message
      Then the gateway refuses the message
      And the gateway asks for the client's certificate
      And the message does not reach the mailbox

    Example: a client without TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the gateway refuses the message

  @EXO-FRC-13 @must @receiver
  Rule: If a connector requires a certificate, the gateway refuses mail from a client whose certificate is for another name

    Background:
      Given an inbound connector that requires a certificate for *.partner.test

    @control
    Example: a client with a certificate for a name below the required wildcard
      Given the client shows a certificate for mail.partner.test
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate for <name>
      Given the client shows a certificate for <name>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | name                         |
        | partner.test                 |
        | mail.other.test              |
        | mail.evilpartner.test        |
        | mail.partner.test.other.test |
        | mail.certified.test          |

  @EXO-FRC-15 @must @receiver
  Rule: The gateway does not require of clients of other domains what a connector requires

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client of another domain with TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Example: a client of another domain without TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

  @EXO-FRC-15 @must @receiver
  Rule: The gateway applies the connector of the sender's domain, also to a client that greets with a name of another domain

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client without TLS that greets with a name of another domain
      Given the client does not use TLS and greets with another name
      When the client delivers a message
      Then the gateway refuses the message

  @EXO-CON-01 @must @receiver
  Rule: The gateway applies an inbound connector to incoming mail

    Background:
      Given an inbound connector that requires TLS for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client without TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the gateway refuses the message

  @EXO-CON-01 @must @sender
  Rule: The gateway does not apply an inbound connector to outgoing mail

    Background:
      Given an inbound connector that requires TLS for the partner's domain

    @control
    Example: a message to a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a message to a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
