@receiver
Feature: Clients that log in with a password

  @RFC8314-02 @must
  Rule: The gateway accepts no password without TLS, and refuses a right password in the same words as a wrong one

    @control
    Example: a client that uses TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password

    Example: a client without TLS
      Given the client does not use TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway refuses both passwords alike

  @RFC8314-01 @should
  Rule: The gateway lets users log in over TLS that begins with STARTTLS or with the connection, and its certificate is for its own name

    @control
    Example: a client whose TLS begins with STARTTLS
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password
      And the gateway's certificate is for the gateway's own name

    Example: a client whose TLS begins with the connection
      Given the client begins with TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password
      And the gateway's certificate is for the gateway's own name

  @RFC8314-01 @should
  Rule: After STARTTLS the gateway lets no user use TLS 1.0 or TLS 1.1

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password

    Scenario Outline: a client with <version> at most
      Given the client supports <version> at most
      When the client logs in with the right password and with a wrong one
      Then the gateway refuses the TLS of users

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @RFC8314-01 @should
  Rule: Where TLS begins with the connection, the gateway lets no user use TLS 1.0 or TLS 1.1

    Background:
      Given the client begins with TLS

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password

    Scenario Outline: a client with <version> at most
      Given the client supports <version> at most
      When the client logs in with the right password and with a wrong one
      Then the gateway refuses the TLS of users

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |
