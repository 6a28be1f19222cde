Feature: The certificate authority changes
  In September 2018 the service moved from one root to another. Partners that trusted only the former one were cut
  off for validated mail; those that trusted both in time noticed nothing.

  @EXO-TRN-01 @receiver
  Rule: The gateway changes its certificate without losing mail, and never shows one outside its validity

    @control
    Example: mail flows and nothing changes
      Given a gateway with a certificate of the former authority
      And mail flows in
      When nothing is changed
      Then every message arrives exactly once
      And every session shows the former certificate, within its validity

    Example: the certificate is changed while mail flows
      Given a gateway with a certificate of the former authority
      And mail flows in
      When the gateway gets a certificate of the new authority
      Then every message arrives exactly once
      And sessions show the former certificate before the change and the new one after it, within their validity

  @EXO-TRN-02 @sender @domain-validation
  Rule: Who trusts only the former root is cut off for validated mail, while opportunistic mail goes on encrypted

    @control
    Example: validated mail before the change
      Given a gateway that trusts the former root
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: validated mail after the change
      Given a gateway that trusts the former root
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names the certificate

    Example: validated mail after the change leaks nothing
      Given a gateway that trusts the former root
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then nothing of it crossed the wire in clear

    Example: opportunistic mail after the change
      Given a gateway that trusts the former root
      And no outbound connector for the partner's domain
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-TRN-03 @sender @domain-validation
  Rule: Who trusts both roots sees no interruption, and can drop the former root afterwards

    @control
    Example: both roots, before the change
      Given a gateway that trusts both roots
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: both roots, after the change
      Given a gateway that trusts both roots
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: both roots, opportunistic mail after the change
      Given a gateway that trusts both roots
      And no outbound connector for the partner's domain
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the new root alone, after the change
      Given a gateway that trusts the new root
      And an outbound connector that requires domain validation
      And the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS
