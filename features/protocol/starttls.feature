Feature: The STARTTLS command

  @RFC3207-02 @must @receiver
  Rule: The gateway answers 501 to STARTTLS with a parameter, and the session goes on

    @control
    Example: a client that gives STARTTLS no parameter
      When the client starts TLS
      Then the TLS handshake succeeds

    Example: a client that gives STARTTLS a parameter
      Given the client gives STARTTLS a parameter and then delivers unencrypted
      When the client starts TLS
      Then the reply is 501
      And the gateway accepts the unencrypted message on the same connection

  @RFC3207-06 @must @sender
  Rule: After the go-ahead the gateway starts the handshake, and sends no command if the handshake fails

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
        | fault                                                                       |
        | sends garbage instead of a TLS handshake                                    |
        | ends the TLS handshake with an alert                                        |
        | answers the TLS handshake with an unencrypted reply                         |
        | closes TLS instead of a TLS handshake and goes on unencrypted               |
        | sends garbage instead of a TLS handshake and goes on unencrypted            |
        | ends the TLS handshake with an alert and goes on unencrypted                |
        | answers the TLS handshake with an unencrypted reply and goes on unencrypted |

  @RFC3207-09 @must @receiver
  Rule: The gateway forgets what a client said before TLS

    @control
    Example: a client that says nothing before TLS
      When the client begins a message inside TLS
      Then the recipient is accepted

    Example: a client that begins a message before TLS and begins again inside TLS
      Given the client begins a message before TLS
      When the client begins a message inside TLS
      Then the recipient is accepted

    Example: a client that greets before TLS and not again inside TLS
      Given the client does not greet again inside TLS
      When the client begins a message inside TLS
      Then the gateway answers MAIL as it answers a client that never greeted

    Example: a client that begins a message before TLS and continues it inside TLS
      Given the client continues inside TLS a message from before TLS
      When the client begins a message inside TLS
      Then the recipient is refused

  @RFC3207-09 @must @sender
  Rule: The gateway forgets what the partner offered before TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that offers the same extensions inside TLS
      When the gateway sends a message to the partner
      Then the wire shows a new EHLO inside TLS and no use of what was offered only before TLS
      And the message arrives over TLS

    Example: a partner that offers fewer extensions inside TLS
      Given the partner offers extensions before TLS that it does not offer inside TLS
      When the gateway sends a message to the partner
      Then the wire shows a new EHLO inside TLS and no use of what was offered only before TLS
      And the message arrives over TLS

  @RFC3207-10 @must @receiver
  Rule: Inside TLS the gateway does not offer STARTTLS again

    @control
    Example: a client that greets before TLS
      When the client greets the gateway
      Then STARTTLS is offered as a bare keyword

    Example: a client that greets inside TLS
      Given the client is inside TLS
      When the client greets the gateway
      Then STARTTLS is not offered

  @RFC3207-10 @must @receiver
  Rule: Inside TLS the gateway refuses STARTTLS

    @control
    Example: a client that says STARTTLS before TLS
      When the client says STARTTLS
      Then the reply is a success

    Example: a client that says STARTTLS inside TLS
      Given the client is inside TLS
      When the client says STARTTLS
      Then the reply is a permanent refusal

  @RFC3207-10 @must @sender
  Rule: Inside TLS the gateway does not use STARTTLS again

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that does not offer STARTTLS inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that offers STARTTLS again inside TLS
      Given the partner offers STARTTLS again inside TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no second STARTTLS
