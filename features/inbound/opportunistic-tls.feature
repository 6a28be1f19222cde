@receiver
Feature: Mail from senders that no connector names

  @EXO-OPP-07
  Rule: The public side takes mail from senders without TLS

    @control
    Example: a sender with TLS
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

    Example: a sender without TLS
      Given no inbound connector for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

    Example: a sender that has only an old TLS version and falls back
      Given no inbound connector for the sender's domain
      And the sender has TLS 1.1 at most and falls back to clear
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

  @RFC3207-01
  Rule: STARTTLS is offered as a bare keyword, and only while TLS can really be started

    @control
    Example: a gateway with a certificate
      Given a gateway as it is
      When a sender greets the gateway
      Then STARTTLS is offered as a bare keyword
      And the handshake succeeds

    Example: a gateway whose certificate is gone
      Given a gateway that has lost its certificate
      When a sender greets the gateway
      Then STARTTLS is not offered or refused with 454

  @RFC3207-04
  Rule: A public mail exchanger does not make STARTTLS a condition for local delivery

    @control
    Example: a stranger with TLS
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message

    Example: a stranger without TLS
      Given no inbound connector for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

  @RFC8314-02 @submission
  Rule: Credentials are not taken in clear, and the refusal does not tell whether they were right

    @control
    Example: the right password inside TLS
      Given a user of the gateway
      And the user's client uses TLS
      When the client logs in with the right password
      Then the login succeeds

    Example: the wrong password inside TLS
      Given a user of the gateway
      And the user's client uses TLS
      When the client logs in with a wrong password
      Then the login is refused

    Example: both passwords in clear
      Given a user of the gateway
      And the user's client does not use TLS
      When the client logs in with the right password and with a wrong one
      Then both logins are refused alike
