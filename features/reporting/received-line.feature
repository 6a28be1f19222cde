Feature: The Received line of the gateway
  The line agrees with the wire if it claims TLS exactly when the message came over TLS. What else it names of the session,
  such as version, suite or group, must be what was negotiated; it need not name them.

  @TRC-01 @must @receiver
  Rule: The gateway's Received line agrees with the session with the client

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

    Scenario Outline: a client that <habit>
      Given the client <habit>
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

      Examples:
        | habit                    |
        | does not use TLS         |
        | supports TLS 1.2 at most |
        | supports TLS 1.3 at most |

  @TRC-01 @must @receiver
  Rule: The gateway's Received line agrees with the session, even if the message carries a forged line that claims TLS

    Background:
      Given no inbound connector for the client's domain
      And the client does not use TLS

    @control
    Example: a message without a Received line
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

    Example: a message with a forged Received line
      Given the message carries a forged Received line that claims TLS
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

  @TRC-01 @must @receiver
  Rule: The gateway's Received line agrees with the session with the second server

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a second server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

    Example: a second server of another kind
      Given the second server is of another kind
      When the second server sends a message to the gateway
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire
