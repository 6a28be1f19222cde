@sender
Feature: One message to several partners

  @EXO-OPP-08 @must
  Rule: If one message goes to several partners, the gateway decides about TLS for each partner by the partner's own connector

    @control
    Example: three partners with STARTTLS
      Given a message for these partners
        | partner | outbound connector     | STARTTLS |
        | first   | uses opportunistic TLS | offered  |
        | second  | uses opportunistic TLS | offered  |
        | third   | requires TLS           | offered  |
      When the gateway sends the message to all of them
      Then the copies end as follows
        | partner | copy             |
        | first   | arrives over TLS |
        | second  | arrives over TLS |
        | third   | arrives over TLS |

    Example: one partner with STARTTLS and two without, and a connector requires TLS for one of these two
      Given a message for these partners
        | partner | outbound connector     | STARTTLS    |
        | first   | uses opportunistic TLS | offered     |
        | second  | uses opportunistic TLS | not offered |
        | third   | requires TLS           | not offered |
      When the gateway sends the message to all of them
      Then the copies end as follows
        | partner | copy                |
        | first   | arrives over TLS    |
        | second  | arrives unencrypted |
        | third   | stays queued        |
      And no partner gets a RCPT command for a recipient of another partner

    Example: one partner without a fault and two that offer STARTTLS and do not answer it, and a connector requires TLS for one of these two
      Given a message for these partners
        | partner | outbound connector     | STARTTLS              |
        | first   | uses opportunistic TLS | offered               |
        | second  | uses opportunistic TLS | offered, not answered |
        | third   | requires TLS           | offered, not answered |
      When the gateway sends the message to all of them
      Then the copies end as follows
        | partner | copy                                |
        | first   | arrives over TLS                    |
        | second  | arrives unencrypted or stays queued |
        | third   | stays queued                        |
      And no partner gets a RCPT command for a recipient of another partner
