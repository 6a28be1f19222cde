Feature: Which outbound connector applies
  A connector applies to the domains that it names and to mail in its own direction. The most specific connector wins.

  @EXO-FRC-05 @sender
  Rule: Forced TLS applies to the domains below the wildcard of a connector

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-FRC-05 @sender
  Rule: Forced TLS applies to a domain that a connector names exactly

    Background:
      Given an outbound connector that requires TLS for exactly the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-FRC-05 @sender
  Rule: Forced TLS applies to a domain that is written in capitals

    Background:
      Given an outbound connector that requires TLS for the partner's domain
      And the message names the partner's domain in capitals

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-FRC-05 @sender
  Rule: Forced TLS applies to no other domain

    Background:
      Given the partner does not offer STARTTLS

    @control
    Example: another domain
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

    Example: a sub-domain of a domain that a connector names exactly
      Given an outbound connector that requires TLS for exactly the parent of the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

  @EXO-CON-02 @sender
  Rule: A connector for outgoing mail protects outgoing mail

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-CON-02 @receiver
  Rule: A connector for outgoing mail does not require TLS of incoming mail

    Background:
      Given an outbound connector that requires TLS for the client's domain

    @control
    Example: a client that uses TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Example: a client without TLS
      Given the client does not use TLS
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

  @EXO-CON-04 @sender
  Rule: A connector for all sub-domains applies to those that no other connector exempts

    Background:
      Given an outbound connector that requires TLS for all sub-domains, and another that exempts other domains

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-CON-04 @sender
  Rule: A connector that exempts a domain wins over the connector for all sub-domains

    Background:
      Given the partner does not offer STARTTLS

    @control
    Example: no connector for all sub-domains
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

    Scenario Outline: the other connector exempts <exempted>
      Given an outbound connector that requires TLS for all sub-domains, and another that exempts <exempted>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

      Examples:
        | exempted                                       |
        | exactly the partner's domain                   |
        | all sub-domains of the partner's parent domain |
