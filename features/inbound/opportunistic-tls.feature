@receiver
Feature: Mail from clients that no connector names

  @EXO-OPP-07 @must
  Rule: The gateway accepts mail without TLS from a client that no connector names, also on a new connection after a failed handshake

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Scenario Outline: a client that <habit>
      Given the client <habit>
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

      Examples:
        | habit                                                  |
        | does not use TLS                                       |
        | supports TLS 1.1 at most and then delivers unencrypted |

  @RFC3207-04 @must
  Rule: The gateway does not require STARTTLS for mail to its own mailboxes, although connectors may require it of single clients

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client without TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox
