@receiver
Feature: TLS required of every sender
  A server that is not public may insist on TLS before it hears anything else.

  @RFC3207-05 @forced-tls-inbound
  Rule: A server that insists on TLS answers 530 to all but EHLO, NOOP, STARTTLS and QUIT

    @control
    Example: MAIL inside TLS
      Given a gateway that requires TLS of every sender
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message

    Scenario Outline: <command> in clear is refused
      Given a gateway that requires TLS of every sender
      And the sender does not use TLS
      When the sender says <command>
      Then the reply is 530 with status 5.7.0

      Examples:
        | command |
        | MAIL    |
        | RCPT    |
        | VRFY    |
        | RSET    |

    Scenario Outline: <command> in clear is answered as ever
      Given a gateway that requires TLS of every sender
      And the sender does not use TLS
      When the sender says <command>
      Then the reply is a success

      Examples:
        | command |
        | EHLO    |
        | NOOP    |
        | QUIT    |
