Feature: TLS protects one hop only

  @EXO-MSG-02 @must @sender
  Rule: If the partner offers no TLS, the gateway sends the message unencrypted, even if the gateway got it over TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the message was submitted over TLS

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message claims TLS in its Received lines only for the first hop

  @EXO-MSG-02 @must @sender
  Rule: If the second server offers no TLS, the gateway sends the message unencrypted, even if the gateway got it over TLS
    No connector requires TLS here. To the gateway, a second server whose STARTTLS the tap removes offers no TLS.

    Background:
      Given the message was submitted over TLS

    @control
    Example: the tap changes nothing
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS

    Scenario Outline: the tap removes STARTTLS on the path to a server of <kind>
      Given the second server is of <kind>
      And the tap removes STARTTLS
      When the gateway sends a message to the second server
      Then the message arrives unencrypted
      And the message claims TLS in its Received lines only for the first hop

      Examples:
        | kind          |
        | the same kind |
        | another kind  |

  @EXO-MSG-03 @must @sender
  Rule: The gateway starts a new TLS session with the partner, whether the message came in unencrypted or over TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a message that was submitted unencrypted
      Given the message was submitted unencrypted
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a message that was submitted over TLS
      Given the message was submitted over TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And each hop has a TLS session of its own

  @EXO-MSG-03 @must @sender
  Rule: The gateway starts a new TLS session with the second server for a message that came in over TLS

    Background:
      Given the message was submitted over TLS

    @control
    Example: a second server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And each hop has a TLS session of its own

    Example: a second server of another kind
      Given the second server is of another kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And each hop has a TLS session of its own

  @EXO-MSG-06 @must @sender
  Rule: The gateway claims no protection for what a partner does with the message, although a connector requires TLS

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that does not pass the message on
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that passes the message on unencrypted
      Given the partner passes the message on unencrypted
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway claims no protection behind the next server

  @EXO-MSG-06 @must @sender
  Rule: The gateway claims no protection for what the second server does with the message, although both servers belong to one service

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a second server of the same kind, which passes the message on unencrypted
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway claims no protection behind the next server

    Example: a second server of another kind, which passes the message on unencrypted
      Given the second server is of another kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway claims no protection behind the next server
