Feature: A connector in each direction

  @EXO-CON-03 @receiver
  Rule: With connectors in both directions, the gateway requires TLS of incoming mail, with or without TLS for outgoing mail

    Background:
      Given connectors that require TLS in both directions

    @control
    Example: TLS in both directions
      When the gateway and the partner send each other a message
      Then the gateway accepts the incoming message over TLS

    Example: no TLS for incoming mail
      Given the client does not use TLS
      When the gateway and the partner send each other a message
      Then the gateway refuses the incoming message because TLS is missing

    Example: no TLS for outgoing mail
      Given the partner does not offer STARTTLS
      When the gateway and the partner send each other a message
      Then the gateway accepts the incoming message over TLS

  @EXO-CON-03 @sender
  Rule: With connectors in both directions, the gateway requires TLS for outgoing mail, with or without TLS for incoming mail

    Background:
      Given connectors that require TLS in both directions

    @control
    Example: TLS in both directions
      When the gateway and the partner send each other a message
      Then the outgoing message arrives over TLS

    Example: no TLS for outgoing mail
      Given the partner does not offer STARTTLS
      When the gateway and the partner send each other a message
      Then the outgoing message is held back

    Example: no TLS for incoming mail
      Given the client does not use TLS
      When the gateway and the partner send each other a message
      Then the outgoing message arrives over TLS

  @EXO-CON-03 @receiver
  Rule: Between two servers, the gateway requires TLS of incoming mail, with or without TLS for outgoing mail

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: TLS in both directions
      Given the second server is of the same kind
      When the gateway and the second server send each other a message
      Then the gateway accepts the incoming message over TLS

    Scenario Outline: TLS in both directions with a server of <kind>
      Given the second server is of <kind>
      When the gateway and the second server send each other a message
      Then the gateway accepts the incoming message over TLS

      Examples:
        | kind         |
        | another kind |

    Example: the tap removes STARTTLS from incoming mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from incoming mail
      When the gateway and the second server send each other a message
      Then the gateway refuses the incoming message because TLS is missing

    Example: the tap removes STARTTLS from outgoing mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from outgoing mail
      When the gateway and the second server send each other a message
      Then the gateway accepts the incoming message over TLS

  @EXO-CON-03 @sender
  Rule: Between two servers, the gateway requires TLS for outgoing mail, with or without TLS for incoming mail

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: TLS in both directions
      Given the second server is of the same kind
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS

    Scenario Outline: TLS in both directions with a server of <kind>
      Given the second server is of <kind>
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS

      Examples:
        | kind         |
        | another kind |

    Example: the tap removes STARTTLS from outgoing mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from outgoing mail
      When the gateway and the second server send each other a message
      Then the outgoing message is held back

    Example: the tap removes STARTTLS from incoming mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from incoming mail
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS
