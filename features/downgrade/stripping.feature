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

    Example: removed where TLS is required, after a first message has passed
      Given an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS after the first connection
      When the gateway sends two messages to the partner, one after the other
      Then the later message is held back
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

  @DGR-02
  Rule: Where TLS is not required, a corrupted STARTTLS costs no more than TLS

    @control
    Example: nothing is corrupted
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: the partner <fault>
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

    Scenario Outline: validated mail and a partner that <fault>
      Given an outbound connector that requires domain validation
      And the partner <fault>
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

      Examples:
        | fault                            |
        | does not offer STARTTLS          |
        | refuses STARTTLS with 454        |
        | ends the handshake with an alert |

    @retry
    Example: validated mail and a foreign certificate, tried again
      Given an outbound connector that requires domain validation
      And the partner shows a foreign certificate
      When the gateway tries up to 2 times to send a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    Example: validated mail and a foreign certificate, after a first message has passed
      Given an outbound connector that requires domain validation
      And the partner shows a foreign certificate after the first connection
      When the gateway sends two messages to the partner, one after the other
      Then the later message is held back
      And nothing of it crossed the wire in clear

    Scenario Outline: opportunistic mail and a certificate that is <flaw>
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | for another name |
