Feature: Which outbound connector applies
  A connector applies to the domains that it names and to mail in its own direction.

  @EXO-FRC-05 @must @sender
  Rule: If a connector names all sub-domains of a domain with a wildcard, the gateway requires TLS for them

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message does not arrive

  @EXO-FRC-05 @must @sender
  Rule: If a connector names a domain without a wildcard, the gateway requires TLS for this domain

    Background:
      Given an outbound connector that requires TLS for exactly the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message does not arrive

  @EXO-FRC-05 @must @sender
  Rule: The gateway requires TLS for a connector's domain also if the recipient's domain is written in capitals

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
      Then the message does not arrive

  @EXO-FRC-05 @must @sender
  Rule: The gateway requires TLS only for the domains that the connector names; without a wildcard, sub-domains are not among them

    Background:
      Given the partner does not offer STARTTLS

    @control
    Example: a domain of another connector, for which TLS is optional
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

    Example: a sub-domain of a domain that a connector names without a wildcard
      Given an outbound connector that requires TLS for exactly the parent of the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

  @EXO-CON-02 @must @sender
  Rule: The gateway applies an outbound connector to outgoing mail

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued

  @EXO-CON-02 @must @receiver
  Rule: The gateway does not apply an outbound connector to incoming mail

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

  @EXO-CON-04 @observed @sender
  Rule: The gateway uses a connector with a wildcard for the sub-domains that no other connector names
    For example, one connector requires TLS for *.company.test, and another makes TLS optional for sales.company.test.
    The partner has the domain shop.company.test.

    Background:
      Given an outbound connector that requires TLS for all sub-domains of a domain, and another that makes TLS optional for some of them, but not the partner's

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message does not arrive

  @EXO-CON-04 @observed @sender
  Rule: If two connectors cover a domain, the gateway uses the one that names it more specifically
    For example, one connector requires TLS for *.company.test, and another makes TLS optional for sales.company.test
    or for *.sales.company.test.

    Background:
      Given the partner does not offer STARTTLS

    @control
    Example: only one connector, which makes TLS optional
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

    Scenario Outline: the more specific connector makes TLS optional for <domains>
      Given an outbound connector that requires TLS for all sub-domains of a domain, and another that makes TLS optional for <domains>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted

      Examples:
        | domains                                        |
        | exactly the partner's domain                   |
        | all sub-domains of the partner's parent domain |
