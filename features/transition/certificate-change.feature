Feature: The certificate authority changes
  In September 2018 the service moved from one root to another. Partners that trusted only the former root got no more
  validated mail; partners that trusted both in time noticed nothing.

  @EXO-TRN-01 @receiver
  Rule: The gateway changes its certificate without losing mail, and never shows a certificate outside its validity

    Background:
      Given the gateway shows a certificate of the former authority

    @control
    Example: the certificate stays
      When clients deliver messages all the time
      Then every message arrives exactly once
      And every session shows the former certificate within its validity

    Example: the certificate is changed while clients deliver messages
      Given the gateway gets a certificate of the new authority while clients deliver messages
      When clients deliver messages all the time
      Then every message arrives exactly once
      And sessions show the former certificate before the change and the new one afterwards, within their validity

  @EXO-TRN-02 @sender
  Rule: A gateway that trusts only the former root keeps validated mail for a partner under the new root

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: before the partner changes its certificate
      Given the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names the certificate

    Example: what crosses the wire after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the wire shows no unencrypted part of the message

  @EXO-TRN-02 @sender
  Rule: A gateway that trusts only the former root goes on to encrypt opportunistic mail

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: before the partner changes its certificate
      Given the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-TRN-03 @sender
  Rule: A gateway that trusts both roots sends validated mail without interruption

    Background:
      Given the gateway trusts both roots
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: before the partner changes its certificate
      Given the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-TRN-03 @sender
  Rule: A gateway that trusts both roots sends opportunistic mail without interruption

    Background:
      Given the gateway trusts both roots
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: before the partner changes its certificate
      Given the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-TRN-03 @sender
  Rule: After the change the gateway can stop trusting the former root

    Background:
      Given an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate of the new authority

    @control
    Example: the gateway trusts both roots
      Given the gateway trusts both roots
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the gateway trusts only the new root
      Given the gateway trusts only the new root
      When the gateway sends a message to the partner
      Then the message arrives over TLS
