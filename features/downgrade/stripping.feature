@sender
Feature: Somebody on the path spoils TLS

  @DGR-01
  Rule: Removing STARTTLS has exactly the effect that policy permits

    @control
    Example: nothing is removed
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: removed where TLS is not required
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear

    Example: removed where TLS is required
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

  @DGR-02
  Rule: A corrupted STARTTLS, or a corrupted answer to it, counts as missing TLS

    @control
    Example: nothing is corrupted
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: TLS is required and the partner <fault>
      Given an outbound connector that requires TLS for the partner's domain
      And the partner <fault>
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

      Examples:
        | fault                                 |
        | offers STARTTLS with its name garbled |
        | refuses STARTTLS with 500             |
        | refuses STARTTLS with 502             |
        | refuses STARTTLS with 454             |
        | refuses STARTTLS with 554             |
        | closes in answer to STARTTLS          |

    Scenario Outline: TLS is not required and the partner <fault>
      Given no outbound connector for the partner's domain
      And the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives in clear or is held back

      Examples:
        | fault                                 |
        | offers STARTTLS with its name garbled |
        | refuses STARTTLS with 500             |
        | refuses STARTTLS with 454             |

  @DGR-03 @domain-validation
  Rule: An attacker with a certificate of its own reads opportunistic mail and nothing else

    @control
    Example: no attacker
      Given an outbound connector that requires domain validation
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: validated mail and a certificate that is <flaw>
      Given an outbound connector that requires domain validation
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

      Examples:
        | flaw             |
        | self-signed      |
        | for another name |

    Scenario Outline: opportunistic mail and a certificate that is <flaw>
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | for another name |

  @EXO-FRC-02 @retry
  Rule: Forced TLS holds when the handshake cannot be finished, on every mail exchanger and at every attempt

    @control
    Example: three good mail exchangers
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: two break the handshake, the last has no STARTTLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | ends the handshake with an alert |
        | closes instead of a handshake    |
        | does not offer STARTTLS          |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    Scenario Outline: a partner that <fault>
      Given an outbound connector that requires TLS for the partner's domain
      And the partner <fault>
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

      Examples:
        | fault                                  |
        | resets the connection at the handshake |
        | talks garbage instead of a handshake   |
        | answers the handshake in clear         |
        | speaks TLS 1.1 at most                 |
