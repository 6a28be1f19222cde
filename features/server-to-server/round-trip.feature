@sender @receiver
Feature: A partner with a connector in each direction

  @EXO-CON-03 @inbound-required
  Rule: Both legs are protected, and breaking TLS on one stops that leg alone

    @control
    Example: TLS on both legs
      Given connectors that require TLS in both directions
      And TLS works on both legs
      When the partner and the gateway send each other a message
      Then the partner's message is accepted over TLS
      And the message arrives over TLS

    Example: STARTTLS is stripped on the way in
      Given connectors that require TLS in both directions
      And the sender does not use TLS
      When the partner and the gateway send each other a message
      Then the gateway refuses the partner's message for want of TLS
      And the message arrives over TLS

    Example: STARTTLS is stripped on the way out
      Given connectors that require TLS in both directions
      And the partner does not offer STARTTLS
      When the partner and the gateway send each other a message
      Then the partner's message is accepted over TLS
      And the message is held back

    @pair
    Scenario Outline: TLS on both legs with a server of <kind>
      Given the partner is a server of <kind> in the gateway's service
      When the partner and the gateway send each other a message
      Then the partner's message is accepted over TLS
      And the message arrives over TLS

      Examples:
        | kind          |
        | the same kind |

      @mixed-pair
      Examples:
        | kind         |
        | another kind |

    @pair
    Example: somebody removes STARTTLS on the way in
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them removes STARTTLS on the way in
      When the partner and the gateway send each other a message
      Then the gateway refuses the partner's message for want of TLS
      And the message arrives over TLS

    @pair
    Example: somebody removes STARTTLS on the way out
      Given the partner is a server of the same kind in the gateway's service
      And somebody between them removes STARTTLS on the way out
      When the partner and the gateway send each other a message
      Then the partner's message is accepted over TLS
      And the message is held back
