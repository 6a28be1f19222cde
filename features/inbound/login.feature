@receiver
Feature: Clients that log in with a password

  @RFC8314-02
  Rule: The gateway accepts no password without TLS, and its refusal does not tell whether the password was right

    @control
    Example: a client that uses TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway accepts only the right password

    Example: a client without TLS
      Given the client does not use TLS
      When the client logs in with the right password and with a wrong one
      Then the gateway refuses both passwords alike
