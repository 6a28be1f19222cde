@pair
Feature: Mail between two servers of one service

  @EXO-S2S-01
  Rule: Every connection between servers of the service is encrypted, whatever it carries

    @control @sender
    Example: a message to a server of the same kind
      Given the partner is a server of the same kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear

    @sender
    Scenario Outline: <mail> to a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the gateway sends <mail> to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear

      Examples:
        | mail                         | kind          |
        | a notification               | the same kind |
        | a message for its postmaster | the same kind |

      @mixed-pair
      Examples:
        | mail                         | kind         |
        | a message                    | another kind |
        | a notification               | another kind |
        | a message for its postmaster | another kind |

    @receiver
    Scenario Outline: a message from a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner sends a message to the gateway
      Then the partner's message is accepted over TLS
      And it reaches the mailbox

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

  @EXO-S2S-02 @tls12-only
  Rule: The hop has TLS 1.2, and a server with older versions alone is not served

    Background:
      Given the gateway speaks TLS 1.2 and nothing newer

    @control @sender
    Example: a message to a server of the same kind
      Given the partner is a server of the same kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    @sender @mixed-pair
    Example: a message to a server of another kind
      Given the partner is a server of another kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    @sender
    Example: the second server has TLS 1.1 at most
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them has TLS 1.1 at most
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    @receiver
    Scenario Outline: a message from a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner sends a message to the gateway
      Then the gateway accepts the message over TLS 1.2

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

    @receiver
    Example: the server that sends has TLS 1.1 at most
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them has TLS 1.1 at most
      When the partner sends a message to the gateway
      Then the gateway refuses the handshake

  @EXO-S2S-03
  Rule: Mail inside an organisation is encrypted on every hop, and the Received lines agree with the wire

    @control @sender
    Example: a message to a mailbox on a server of the same kind
      Given the partner is a server of the same kind in the gateway's service
      And the message comes in over TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's Received line says what the wire says

    @sender @mixed-pair
    Example: a message to a mailbox on a server of another kind
      Given the partner is a server of another kind in the gateway's service
      And the message comes in over TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway's Received line says what the wire says

    @receiver
    Scenario Outline: a message from a mailbox on a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner sends a message to the gateway
      Then the partner's message is accepted over TLS
      And the gateway's Received line says what the wire says

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |
