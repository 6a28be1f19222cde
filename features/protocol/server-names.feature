@sender
Feature: The server that the gateway names in its ClientHello
  Whether a gateway names a server is its own choice, except where a signed policy for the domain decides about TLS.

  @ID-05 @must
  Rule: In its ClientHello the gateway names the host to which it connects, or the domain whose mail it brings, or nobody

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with one mail exchanger
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no server name but that of the mail exchanger or the domain

    Example: a partner whose first mail exchanger fails in the handshake
      Given the partner's mail exchangers, in order of preference
        | ends the TLS handshake with an alert |
        | offers STARTTLS                      |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no server name but that of the mail exchanger or the domain

  @ID-05 @must
  Rule: At every level of connector, the gateway names in its ClientHello the host, or the domain whose mail it brings, or nobody

    Background:
      Given the partner supports TLS 1.2 at most

    @control
    Example: a connector that uses opportunistic TLS
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no server name but that of the mail exchanger or the domain

    Example: a connector that requires domain validation
      Given an outbound connector that requires domain validation for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no server name but that of the mail exchanger or the domain
