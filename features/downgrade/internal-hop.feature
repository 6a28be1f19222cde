@pair
Feature: Somebody on the path between two servers of a service

  @EXO-S2S-05
  Rule: Without TLS, mail between servers waits and is never sent in clear

    @control @sender
    Example: nobody is on the path
      Given the partner is a server of the same kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear

    @sender
    Scenario Outline: somebody <interference>
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them <interference>
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

      Examples:
        | interference                             |
        | removes STARTTLS                         |
        | resets the connection at the ClientHello |
        | resets the connection at the ServerHello |

    @sender
    Example: somebody overwrites the go-ahead
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them overwrites the go-ahead
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    @sender @domain-validation
    Example: somebody shows a certificate of its own
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them shows a certificate of its own
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    @sender @mixed-pair
    Example: somebody removes STARTTLS on the way to a server of another kind
      Given the partner is a server of another kind in the gateway's service
      And somebody between them removes STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

    @sender @retry
    Scenario Outline: somebody <interference> on the first connection and is gone then
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them <interference> on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And it arrives exactly once

      Examples:
        | interference                             |
        | removes STARTTLS                         |
        | resets the connection at the ClientHello |

    @receiver @inbound-required
    Scenario Outline: somebody removes STARTTLS on the way from a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      And somebody between them removes STARTTLS
      When the partner sends a message to the gateway
      Then the gateway refuses the partner's message for want of TLS

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |
