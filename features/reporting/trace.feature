Feature: What a gateway says about TLS afterwards

  @TRC-01 @receiver
  Rule: The gateway's own Received line tells the truth about the session with the client

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: delivered over TLS
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

    Scenario Outline: delivered by a client that <habit>
      Given the client <habit>
      When the client delivers a message
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

      Examples:
        | habit                    |
        | does not use TLS         |
        | supports TLS 1.2 at most |
        | supports TLS 1.3 at most |

  @TRC-01 @receiver
  Rule: A forged Received line does not change the gateway's own

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

  @TRC-01 @receiver
  Rule: The gateway's own Received line tells the truth about the session with the second server

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: delivered by a server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

    Scenario Outline: delivered by a server of <kind>
      Given the second server is of <kind>
      When the second server sends a message to the gateway
      Then the message reaches the mailbox
      And the gateway's Received line agrees with the wire

      Examples:
        | kind         |
        | another kind |

  @TRC-02 @sender
  Rule: The gateway's log tells version, suite and authentication of each session with a partner

    Background:
      Given the gateway logs its TLS sessions
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session encrypted

    Example: a partner with a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session unverified

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the gateway's log calls the session unencrypted

  @TRC-02 @receiver
  Rule: The gateway's log calls a client verified whose certificate it has verified

    Background:
      Given the gateway logs its TLS sessions
      And an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session verified

  @TRC-02 @receiver
  Rule: The gateway's log does not call a client verified whose certificate proves nothing

    Background:
      Given the gateway logs its TLS sessions
      And no inbound connector for the client's domain

    @control
    Example: a client without a certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session encrypted

    Example: a client with a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session unverified
