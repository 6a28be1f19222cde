@sender
Feature: Opportunistic TLS to partners that no connector forces
  The gateway tries encryption first and never requires it: it sends mail in the best way that the partner supports.

  @EXO-OPP-01
  Rule: The gateway uses TLS wherever the partner offers STARTTLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner with a certificate that nobody can check
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

  @EXO-OPP-04
  Rule: A partner without TLS gets the message unencrypted and without delay

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the wire shows a single connection

  @EXO-OPP-05
  Rule: A certificate that cannot be verified is no reason to send unencrypted

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows a single connection

    Scenario Outline: a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                      |
        | self-signed               |
        | expired                   |
        | not yet valid             |
        | for another name          |
        | from an unknown authority |

  @EXO-OPP-06
  Rule: After a failed handshake the message goes out unencrypted on a new connection, or it waits

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued
      And the wire shows no command after the failed handshake

      Examples:
        | fault                                               |
        | closes the connection instead of a TLS handshake    |
        | resets the connection during the TLS handshake      |
        | sends garbage instead of a TLS handshake            |
        | ends the TLS handshake with an alert                |
        | answers the TLS handshake with an unencrypted reply |

  @EXO-OPP-06
  Rule: After a failed handshake the message is not lost

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a handshake that succeeds
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives exactly once

    Example: a handshake that fails once
      Given the partner ends the TLS handshake with an alert on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives exactly once

  @EXO-OPP-08
  Rule: The gateway decides about TLS for each partner, also within one message

    @control
    Example: three partners with STARTTLS
      Given a message for these partners
        | partner | outbound connector     | STARTTLS |
        | first   | uses opportunistic TLS | offered  |
        | second  | uses opportunistic TLS | offered  |
        | third   | requires TLS           | offered  |
      When the gateway sends the message to all of them
      Then this becomes of each copy
        | partner | copy             |
        | first   | arrives over TLS |
        | second  | arrives over TLS |
        | third   | arrives over TLS |

    Example: one partner with STARTTLS and two without, of which one must not get it unencrypted
      Given a message for these partners
        | partner | outbound connector     | STARTTLS    |
        | first   | uses opportunistic TLS | offered     |
        | second  | uses opportunistic TLS | not offered |
        | third   | requires TLS           | not offered |
      When the gateway sends the message to all of them
      Then this becomes of each copy
        | partner | copy                |
        | first   | arrives over TLS    |
        | second  | arrives unencrypted |
        | third   | is held back        |
      And no partner is told a recipient of another partner
