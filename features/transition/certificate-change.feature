Feature: A change from one certificate authority to another
  In September 2018 the service moved from one root to another. Senders that trusted only the former root could then no
  longer validate its certificate; senders that trusted both roots in time noticed nothing.

  @EXO-TRN-01 @must @receiver
  Rule: While its certificate is changed, the gateway loses no mail and shows the former certificate before the change and the new one afterwards
    The catalogue speaks of a change at a set date. The suite makes the change at once; the gateway may restart, and a
    client whose delivery fails tries again. The suite does not set the clock to the limits of a validity.

    Background:
      Given the gateway shows a certificate of the former authority

    @control
    Example: the gateway keeps its certificate
      When the client delivers one message after another
      Then every message arrives exactly once
      And every session shows the former certificate within its validity

    Example: the certificate of the gateway is changed while the client delivers messages
      Given the gateway gets a certificate of the new authority while the client delivers messages
      When the client delivers one message after another
      Then every message arrives exactly once
      And sessions show the former certificate before the change and the new one afterwards, within their validity

  @EXO-TRN-02 @must @sender
  Rule: A gateway that trusts only the former root keeps mail that requires domain validation for a partner under the new root

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

    Example: the wire after the partner has changed its certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends a message to the partner
      Then the wire shows no unencrypted part of the message

  @EXO-TRN-02 @must @sender
  Rule: A gateway that trusts only the former root still sends opportunistic mail over TLS to a partner under the new root

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

  @EXO-TRN-03 @should @sender
  Rule: A gateway that trusts both roots sends mail that requires domain validation, before and after the partner changes its certificate

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

  @EXO-TRN-03 @should @sender
  Rule: A gateway that trusts both roots sends opportunistic mail over TLS, before and after the partner changes its certificate

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

  @EXO-TRN-03 @should @sender
  Rule: A gateway that trusts only the new root sends mail that requires domain validation to a partner that has changed its certificate

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

  @EXO-TRN-04 @must @sender
  Rule: While a partner's servers change their certificates one by one, the gateway sends mail that requires domain validation to all of them

    Background:
      Given the gateway trusts both roots
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: all servers of the partner show the new certificate
      Given the partner shows a certificate of the new authority
      When the gateway sends the partner two messages, one after the other
      Then the message arrives over TLS
      And the later message arrives over TLS

    Scenario Outline: a partner that <shows>
      Given the partner <shows>
      When the gateway sends the partner two messages, one after the other
      Then the message arrives over TLS
      And the later message arrives over TLS
      And the wire shows certificates of the former and of the new authority

      Examples:
        | shows                                                                            |
        | shows the former certificate at one of its servers and the new one at the others |
        | shows the new certificate at one of its servers and the former one at the others |

  @EXO-TRN-04 @must @receiver
  Rule: While the servers of the gateway's domain change their certificates one by one, all offer TLS of the same strength

    @control
    Example: two servers of the gateway's domain show a certificate of the same authority
      Given the gateway's domain has another server
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength

    Example: one of the two servers shows a certificate of the former authority
      Given the gateway's domain has another server with a certificate of the former authority
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength
