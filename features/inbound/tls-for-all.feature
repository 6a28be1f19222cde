@receiver
Feature: A gateway that requires TLS of every client
  A gateway that is not public may require TLS before any other command.

  @RFC3207-05 @should
  Rule: If the gateway requires TLS of every client, it answers 530 to every unencrypted command except EHLO, NOOP, STARTTLS and QUIT
    The control shows that the gateway answers STARTTLS as usual.

    Background:
      Given the gateway requires TLS of every client

    @control
    Example: MAIL inside TLS
      When the client says MAIL
      Then the reply is a success

    Scenario Outline: an unencrypted <command>, which needs TLS
      Given the client does not use TLS
      When the client says <command>
      Then the reply is 530 with status 5.7.0

      Examples:
        | command |
        | MAIL    |
        | RCPT    |
        | VRFY    |
        | RSET    |

    Scenario Outline: an unencrypted <command>, which needs no TLS
      Given the client does not use TLS
      When the client says <command>
      Then the reply is a success

      Examples:
        | command |
        | EHLO    |
        | NOOP    |
        | QUIT    |
