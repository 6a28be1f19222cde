Feature: The content of a message

  @EXO-MSG-04 @must @receiver
  Rule: TLS does not change a message that the gateway receives

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a message that is delivered unencrypted
      Given the client does not use TLS
      When the client delivers a message
      Then the message reaches the mailbox unchanged

    Example: a message that is delivered over TLS
      When the client delivers a message
      Then the message reaches the mailbox unchanged

  @EXO-MSG-04 @must @sender
  Rule: TLS does not change a message that the gateway sends

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a message that is sent unencrypted
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives exactly once and complete

    Example: a message that is sent over TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once and complete

  @EXO-MSG-05 @must @sender
  Rule: The gateway leaves S/MIME encryption in place: only the recipient can read the message, even on a hop without TLS
    The suite sees the message on the wire, not in the queue of the gateway.

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the partner does not offer STARTTLS

    @control
    Example: a message that is not encrypted with S/MIME
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message can be read on the wire

    Example: a message that is encrypted with S/MIME
      Given the message is encrypted with S/MIME
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message can be decrypted by its recipient and read by nobody else

  @EXO-MSG-05 @must @receiver
  Rule: The gateway leaves S/MIME encryption in place: only the recipient can read the message in the mailbox

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a message that is not encrypted with S/MIME
      When the client delivers a message
      Then the message reaches the mailbox

    Example: a message that is encrypted with S/MIME
      Given the message is encrypted with S/MIME
      When the client delivers a message
      Then the message reaches the mailbox
      And the message can be decrypted by its recipient and read by nobody else
