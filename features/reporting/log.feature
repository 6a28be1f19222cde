Feature: What the gateway's log says about TLS

  @TRC-02 @should @sender
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

  @TRC-02 @should @receiver
  Rule: The gateway's log calls a client verified if the gateway has verified its certificate

    Background:
      Given the gateway logs its TLS sessions
      And an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session verified

  @TRC-02 @should @receiver
  Rule: The gateway's log does not call a client verified if it shows no certificate or a self-signed one

    Background:
      Given the gateway logs its TLS sessions
      And no inbound connector for the client's domain

    @control
    Example: a client without a certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session unverified

    Example: a client with a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway accepts the message
      And the gateway's log calls the session unverified

  @DGR-06 @should @sender
  Rule: The gateway's log shows that a partner which had TLS has none any more

    Background:
      Given the gateway logs its TLS sessions
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that keeps its TLS
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS
      And the gateway tells in its log of TLS in just the sessions that had it

    Example: a partner that offers no STARTTLS from the second connection on
      Given the partner does not offer STARTTLS from the second connection on
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives unencrypted
      And the gateway tells in its log of TLS in just the sessions that had it
