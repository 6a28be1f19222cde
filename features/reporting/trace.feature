Feature: What a gateway says about TLS afterwards

  @TRC-01 @receiver
  Rule: The gateway's own Received line tells the truth about its hop

    @control
    Example: delivered over TLS
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then it reaches the mailbox
      And the gateway's Received line says what the wire says

    Example: delivered in clear
      Given no inbound connector for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then it reaches the mailbox
      And the gateway's Received line says what the wire says

    Scenario Outline: delivered over <version>
      Given no inbound connector for the sender's domain
      And the sender speaks <version> at most
      When the sender delivers a message
      Then it reaches the mailbox
      And the gateway's Received line says what the wire says

      Examples:
        | version |
        | TLS 1.2 |
        | TLS 1.3 |

    @pair
    Scenario Outline: delivered by a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner sends a message to the gateway
      Then it reaches the mailbox
      And the gateway's Received line says what the wire says

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

    Example: delivered in clear with a forged line
      Given no inbound connector for the sender's domain
      And the message brings a forged Received line that claims TLS
      When the sender delivers a message
      Then it reaches the mailbox
      And the gateway's Received line says what the wire says

  @TRC-02 @session-log
  Rule: The log tells version, suite and authentication of each session, and calls nobody verified who is not

    @control @sender
    Example: a partner with a good certificate
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session encrypted

    @sender
    Example: a partner with a self-signed certificate
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's log calls the session unverified

    @sender
    Example: a partner without TLS
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
      And the gateway's log calls the session clear

    @receiver @client-certificates
    Example: a sender with a good certificate
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a good certificate
      When the sender delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session verified

    @receiver
    Example: a sender with a self-signed certificate
      Given no inbound connector for the sender's domain
      And the sender shows a certificate that is self-signed
      When the sender delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session unverified
