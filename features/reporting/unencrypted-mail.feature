Feature: Mail that went unencrypted can be found afterwards

  @EXO-VER-06 @should @receiver
  Rule: The gateway's Received line tells which messages came unencrypted, from whom and when

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line says from whom and when the message came, and whether over TLS

    Example: a client that does not use TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line says from whom and when the message came, and whether over TLS

  @EXO-VER-06 @should @sender
  Rule: The gateway's log tells which messages went unencrypted

    Background:
      Given the gateway logs its TLS sessions
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session encrypted

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the gateway's log calls the session unencrypted
