@receiver
Feature: TLS required of every client
  A gateway that is not public may require TLS before any other command.

  @RFC3207-05
  Rule: A gateway that requires TLS answers 530 to every command except EHLO, NOOP, STARTTLS and QUIT

    Background:
      Given the gateway requires TLS of every client

    @control
    Example: MAIL inside TLS
      When the client says MAIL
      Then the reply is a success

    Scenario Outline: an unencrypted <command> that is refused
      Given the client does not use TLS
      When the client says <command>
      Then the reply is 530 with status 5.7.0

      Examples:
        | command |
        | MAIL    |
        | RCPT    |
        | VRFY    |
        | RSET    |

    Scenario Outline: an unencrypted <command> that is answered as usual
      Given the client does not use TLS
      When the client says <command>
      Then the reply is a success

      Examples:
        | command |
        | EHLO    |
        | NOOP    |
        | QUIT    |
