Feature: What TLS protects, and what it leaves alone

  @EXO-MSG-01
  Rule: Once TLS is up, every byte of the conversation is inside it

    @control @sender
    Example: mail to a partner arrives
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    @sender
    Example: mail to a partner
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then only the greeting, EHLO and STARTTLS crossed the wire in clear

    @receiver
    Example: mail from a partner
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then only the greeting, EHLO and STARTTLS crossed the wire in clear

  @EXO-MSG-02 @sender
  Rule: A message that came in over TLS goes on in clear to a receiver without TLS

    @control
    Example: the message came in over TLS, the next receiver has TLS
      Given the message comes in over TLS
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the message came in over TLS, the next receiver has none
      Given the message comes in over TLS
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
      And its Received lines claim TLS for the first hop alone

    @pair
    Scenario Outline: the message goes on to a server of <kind>, and somebody removes STARTTLS
      Given the message comes in over TLS
      And the partner is a second server of <kind>
      And somebody between them removes STARTTLS
      When the gateway sends a message to the partner
      Then its Received lines claim TLS for the first hop alone

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

  @EXO-MSG-03 @sender
  Rule: Each hop negotiates for itself

    @control
    Example: the message came in in clear
      Given the message comes in in clear
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the message came in over TLS
      Given the message comes in over TLS
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the two hops have sessions of their own

    @pair
    Scenario Outline: the message goes on to a server of <kind>
      Given the message comes in over TLS
      And the partner is a second server of <kind>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the two hops have sessions of their own

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

  @EXO-MSG-04
  Rule: TLS leaves the message itself untouched

    @control @receiver
    Example: delivered in clear
      Given no inbound connector for the sender's domain
      And the sender does not use TLS
      When the sender delivers a message
      Then it reaches the mailbox unchanged

    @receiver
    Example: delivered over TLS
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then it reaches the mailbox unchanged

    @sender
    Example: sent over TLS
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And it arrives exactly once and complete

  @EXO-MSG-05 @sender
  Rule: A message that is encrypted itself stays unreadable on a hop in clear

    @control
    Example: a readable message
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
      And its text can be read on the wire

    Example: an encrypted message
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends an S/MIME encrypted message to the partner
      Then the message arrives in clear
      And its text cannot be read on the wire, and its recipient can decrypt it

  @EXO-MSG-06 @sender
  Rule: The protection of a connector ends at the next server, and nothing claims more

    @control
    Example: a partner that keeps the message
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that passes the message on in clear
      Given an outbound connector that requires TLS for the partner's domain
      And the partner passes the message on in clear
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And neither the message nor the gateway's log claims protection beyond the first hop

    @pair
    Scenario Outline: a server of <kind> that passes the message on in clear
      Given the partner is a server of <kind> in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And neither the message nor the gateway's log claims protection beyond the first hop

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |
