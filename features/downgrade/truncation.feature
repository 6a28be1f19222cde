Feature: A TLS connection that breaks in the middle of a message

  @DGR-05 @sender
  Rule: After the connection has broken, the gateway sends the message again over TLS, and it arrives once and complete

    Background:
      Given an outbound connector that requires TLS for the partner's domain
      And the message is large

    @control
    Example: the connection does not break
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once and complete

    Example: the connection breaks at the first attempt
      Given the partner cuts the connection in the middle of the message on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once and complete

  @DGR-05 @receiver
  Rule: The gateway does not deliver a message that was cut short

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: the connection does not break
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Example: the connection breaks
      Given the client cuts the connection in the middle of the message
      When the client delivers a message
      Then the message does not reach the mailbox
