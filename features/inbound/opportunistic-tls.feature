@receiver
Feature: Mail from clients that no connector names

  @EXO-OPP-07
  Rule: The gateway takes mail from clients without TLS

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

  @RFC3207-01
  Rule: The gateway offers STARTTLS as a bare keyword, and only while it can really start TLS

    @control
    Example: a gateway with a certificate
      When the client starts TLS
      Then STARTTLS is offered as a bare keyword
      And the TLS handshake succeeds

    Example: a gateway without its certificate
      Given the gateway has lost its certificate
      When the client starts TLS
      Then STARTTLS is not offered or is refused with 454

  @RFC3207-04
  Rule: A public gateway does not require STARTTLS for local delivery

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

  @RFC8314-02
  Rule: The gateway takes no password without TLS, and its refusal does not tell whether the password was right

    @control
    Example: a client that uses TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password

    Example: a client without TLS
      Given the client does not use TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway refuses both passwords alike
