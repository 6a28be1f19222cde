@receiver
Feature: When the gateway offers STARTTLS

  @RFC3207-01 @must
  Rule: The gateway offers STARTTLS as a bare keyword, and offers or accepts it only while it has a certificate

    @control
    Example: a gateway with a certificate
      When the client starts TLS
      Then STARTTLS is offered as a bare keyword
      And the TLS handshake succeeds

    Example: a gateway without its certificate
      Given the gateway has lost its certificate
      When the client starts TLS
      Then STARTTLS is not offered or is refused with 454
