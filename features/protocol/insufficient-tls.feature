Feature: TLS that is not sufficient for a connector
  What a connector requires of one partner or client, the gateway does not require of the others.

  @RFC3207-11 @must @sender
  Rule: If the partner's certificate fails the validation that the connector requires, the gateway sends no MAIL command

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message does not arrive
      And the wire shows no MAIL command
      And the wire shows no session that ends without QUIT

  @RFC3207-11 @must @sender
  Rule: If no connector requires validation, the gateway sends mail also to a partner with a self-signed certificate

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @RFC3207-11 @must @receiver
  Rule: If the client's certificate fails the check that the connector requires, the gateway refuses the message

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client with a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway refuses the message

  @RFC3207-11 @must @receiver
  Rule: If no connector requires a certificate, the gateway accepts mail also from a client with a self-signed certificate

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client with a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway accepts the message
