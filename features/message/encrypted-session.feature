Feature: What is inside TLS in a session

  @EXO-MSG-01 @must @sender
  Rule: Once the gateway has started TLS as a sender, every byte of the session is inside TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

    Example: a partner with TLS 1.2
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

  @EXO-MSG-01 @must @receiver
  Rule: Once a client has started TLS with the gateway, every byte of the session is inside TLS

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.3
      When the client delivers a message
      Then the gateway accepts the message over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

    Example: a client with TLS 1.2
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS
