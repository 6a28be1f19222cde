Feature: The certificate chain up to the root
  A receiver has to send its certificate and every intermediate certificate. A sender that fetches or remembers a missing
  intermediate certificate hides the gap from the receiver's administrator.

  @PKIX-06 @should @sender
  Rule: The gateway does not send mail that requires domain validation to a partner whose certificate chain is incomplete

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner that sends its complete certificate chain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that leaves out its intermediate certificate
      Given the partner leaves out its intermediate certificate
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @PKIX-06 @should @sender
  Rule: The gateway does not complete a partner's certificate chain with a certificate from an earlier session

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner that sends its complete certificate chain in both sessions
      When the gateway sends the partner two messages, one after the other
      Then the later message arrives over TLS

    Example: a partner that leaves out its intermediate certificate in the later session
      Given the partner leaves out its intermediate certificate from the second connection on
      When the gateway sends the partner two messages, one after the other
      Then the later message stays queued

  @PKIX-06 @should @receiver
  Rule: The gateway sends its complete certificate chain

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway's certificate chain leads to a root that the client trusts
