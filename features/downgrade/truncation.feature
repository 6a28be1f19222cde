Feature: A TLS connection that breaks in the middle of a message

  @DGR-05 @must @sender
  Rule: After the connection has broken, the gateway sends the message again over TLS, and the message arrives once and complete

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

  @DGR-05 @must @receiver
  Rule: The gateway does not deliver a message if the connection or TLS ended before the end of the message

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: the connection does not break
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Scenario Outline: a client that <habit>
      Given the client <habit>
      When the client delivers a message
      Then the message does not reach the mailbox

      Examples:
        | habit                                                         |
        | cuts the connection in the middle of the message              |
        | ends TLS in the middle of MAIL and goes on unencrypted        |
        | ends TLS in the middle of the message and goes on unencrypted |
        | ends TLS in the middle of a chunk and goes on unencrypted     |
