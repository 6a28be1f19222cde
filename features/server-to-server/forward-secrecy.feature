@pair
Feature: Forward secrecy between the servers of a service

  @EXO-S2S-04 @forward-secrecy-only
  Rule: Mail from one customer to another is encrypted with forward secrecy

    Background:
      Given the gateway uses key exchange with forward secrecy alone

    @control @sender
    Example: a message to a server of the same kind
      Given the partner is a server of the same kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the session had forward secrecy

    @sender @mixed-pair
    Example: a message to a server of another kind
      Given the partner is a server of another kind in the gateway's service
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the session had forward secrecy

    @sender
    Example: the second server has key exchange by RSA alone
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them has key exchange by RSA alone
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    @receiver
    Scenario Outline: a message from a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner sends a message to the gateway
      Then the partner's message is accepted over TLS
      And the session had forward secrecy

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

    @receiver
    Example: the server that sends has key exchange by RSA alone
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them has key exchange by RSA alone
      When the partner sends a message to the gateway
      Then the gateway refuses the handshake
