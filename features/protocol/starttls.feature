Feature: The STARTTLS command itself

  @RFC3207-02 @receiver
  Rule: STARTTLS takes no parameter, and a wrong one does not end the session

    @control
    Example: without a parameter
      Given a gateway as it is
      When a sender says STARTTLS
      Then the handshake succeeds

    Example: with a parameter
      Given a gateway as it is
      When a sender says STARTTLS with a parameter
      Then the reply is 501
      And a message can still be delivered in clear on the same connection

  @RFC3207-06 @sender
  Rule: After the go-ahead comes the handshake or nothing

    @control
    Example: a partner whose handshake works
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the first bytes after the go-ahead were a ClientHello

    Scenario Outline: a partner that <fault>
      Given no outbound connector for the partner's domain
      And the partner <fault>
      When the gateway sends a message to the partner
      Then no command followed the broken handshake on its connection

      Examples:
        | fault                                |
        | talks garbage instead of a handshake |
        | ends the handshake with an alert     |
        | answers the handshake in clear       |

  @RFC3207-09
  Rule: TLS resets the conversation on both sides

    @control @receiver
    Example: a sender that begins inside TLS
      Given a gateway as it is
      When a sender starts TLS and begins a message
      Then the recipient is accepted

    @receiver
    Example: a sender that greets again
      Given a gateway as it is
      When a sender begins a message, starts TLS and begins again
      Then the recipient is accepted

    @receiver
    Example: a sender that goes on where it was
      Given a gateway as it is
      When a sender begins a message, starts TLS and goes on with it
      Then the recipient is refused

    @sender
    Example: a partner that offers other extensions inside TLS
      Given no outbound connector for the partner's domain
      And the partner offers extensions in clear that are gone inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway greeted again and used nothing that was offered in clear

  @RFC3207-10
  Rule: Inside TLS, STARTTLS is neither offered nor used again

    @control @receiver
    Example: before TLS
      Given a gateway as it is
      When a sender greets the gateway
      Then STARTTLS is offered as a bare keyword

    @receiver
    Example: a sender that looks for it inside TLS
      Given a gateway as it is
      When a sender greets the gateway inside TLS
      Then STARTTLS is not offered

    @receiver
    Example: a sender that says it again inside TLS
      Given a gateway as it is
      When a sender says STARTTLS inside TLS
      Then the reply is a permanent refusal

    @sender
    Example: a partner that offers it again inside TLS
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS again inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And STARTTLS was not used again

  @RFC3207-11 @domain-validation @client-certificates
  Rule: TLS that is too weak for a chosen peer ends the session without mail, and other peers are not affected

    @control @sender
    Example: a chosen partner with a good certificate
      Given an outbound connector that requires domain validation
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    @sender
    Example: a chosen partner with a certificate that proves nothing
      Given an outbound connector that requires domain validation
      And the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message is held back
      And no MAIL command was sent at all

    @sender
    Example: another partner with the same kind of certificate
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    @receiver
    Example: a chosen sender with a certificate that proves nothing
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a certificate that is self-signed
      When the sender delivers a message
      Then the gateway refuses the message

    @receiver
    Example: another sender with the same kind of certificate
      Given no inbound connector for the sender's domain
      And the sender shows a certificate that is self-signed
      When the sender delivers a message
      Then the gateway accepts the message
