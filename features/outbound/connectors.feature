@sender
Feature: Which outbound connector decides
  A connector binds the domains that it names, in its own direction, and the most specific one counts.

  @EXO-FRC-05
  Rule: Forced TLS binds the domains that it names and no others

    @control
    Example: a partner with TLS in the connector's domain
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without TLS in the connector's domain
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: a partner without TLS in another domain
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: a partner without TLS in a sub-domain that the connector does not cover
      Given an outbound connector that requires TLS for the parent of the partner's domain only
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: a partner without TLS in a domain that the connector names by itself
      Given an outbound connector that requires TLS for the partner's domain alone
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: a partner without TLS whose domain is written in capitals
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      And the message names the partner's domain in capitals
      When the gateway sends a message to the partner
      Then the message is held back

  @EXO-CON-02
  Rule: A connector for outgoing mail does not make the incoming direction demand TLS

    @control
    Example: mail to a partner with TLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a reply while the partner has no TLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: mail from the partner in clear
      Given an outbound connector that requires TLS for the partner's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

  @EXO-CON-04
  Rule: The most specific connector decides

    @control
    Example: the general connector and a partner with TLS
      Given a connector that requires TLS for all sub-domains and another that exempts some of them
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the general connector and a partner without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts some of them
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back

    Example: an exempted domain without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts the partner's own
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: a domain below an exempted one, without TLS
      Given a connector that requires TLS for all sub-domains and another that exempts those around the partner's
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
