Feature: The STARTTLS command itself

  @RFC3207-02 @receiver
  Rule: The gateway answers 501 to STARTTLS with a parameter, and the session goes on

    @control
    Example: STARTTLS without a parameter
      When the client starts TLS
      Then the TLS handshake succeeds

    Example: STARTTLS with a parameter
      Given the client gives STARTTLS a parameter and then delivers unencrypted
      When the client starts TLS
      Then the reply is 501
      And the gateway accepts the unencrypted message on the same connection

  @RFC3207-06 @sender
  Rule: After the go-ahead the gateway starts the handshake or sends nothing

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows a ClientHello right after the go-ahead

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the wire shows no command after the failed handshake

      Examples:
        | fault                                               |
        | sends garbage instead of a TLS handshake            |
        | ends the TLS handshake with an alert                |
        | answers the TLS handshake with an unencrypted reply |

  @RFC3207-09 @receiver
  Rule: TLS resets the session: the gateway forgets what a client said before TLS

    @control
    Example: a client that says nothing before TLS
      When the client begins a message inside TLS
      Then the recipient is accepted

    Example: a client that begins a message before TLS and begins again inside TLS
      Given the client begins a message before TLS
      When the client begins a message inside TLS
      Then the recipient is accepted

    Example: a client that begins a message before TLS and continues it inside TLS
      Given the client continues inside TLS a message from before TLS
      When the client begins a message inside TLS
      Then the recipient is refused

  @RFC3207-09 @sender
  Rule: TLS resets the session: the gateway forgets what the partner said before TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that offers the same extensions inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that offers fewer extensions inside TLS
      Given the partner offers extensions before TLS that it does not offer inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows a new EHLO inside TLS and no use of what was offered before TLS

  @RFC3207-10 @receiver
  Rule: Inside TLS the gateway does not offer STARTTLS again

    @control
    Example: before TLS
      When the client greets the gateway
      Then STARTTLS is offered as a bare keyword

    Example: inside TLS
      Given the client is inside TLS
      When the client greets the gateway
      Then STARTTLS is not offered

  @RFC3207-10 @receiver
  Rule: Inside TLS the gateway refuses STARTTLS

    @control
    Example: before TLS
      When the client says STARTTLS
      Then the reply is a success

    Example: inside TLS
      Given the client is inside TLS
      When the client says STARTTLS
      Then the reply is a permanent refusal

  @RFC3207-10 @sender
  Rule: Inside TLS the gateway does not use STARTTLS again

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that does not offer it again
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that offers it again inside TLS
      Given the partner offers STARTTLS again inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no second STARTTLS

  @RFC3207-11 @sender
  Rule: If TLS with a chosen partner is too weak, the gateway ends the session without mail

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message is held back
      And the wire shows no MAIL command

  @RFC3207-11 @sender
  Rule: What is too weak for a chosen partner is good enough for other partners

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @RFC3207-11 @receiver
  Rule: If TLS with a chosen client is too weak, the gateway refuses the message

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway refuses the message

  @RFC3207-11 @receiver
  Rule: What is too weak for a chosen client is good enough for other clients

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway accepts the message
