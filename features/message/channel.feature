Feature: What TLS protects and what it leaves alone

  @EXO-MSG-01 @sender
  Rule: Once the gateway has started TLS as a sender, every byte of the session is inside TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

    Example: a partner with TLS 1.2
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

  @EXO-MSG-01 @receiver
  Rule: Once a client has started TLS with the gateway, every byte of the session is inside TLS

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.3
      When the client delivers a message
      Then the gateway accepts the message over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

    Example: a client with TLS 1.2
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS
      And the wire shows only the greeting, EHLO and STARTTLS outside TLS

  @EXO-MSG-02 @sender
  Rule: The gateway sends a message that came in over TLS unencrypted to a partner without TLS

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

  @EXO-MSG-02 @sender
  Rule: The gateway sends a message that came in over TLS unencrypted where the path to the second server has no TLS

    Background:
      Given the message was submitted over TLS

    @control
    Example: nobody is on the path
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS

    Scenario Outline: the tap removes STARTTLS on the path to a server of <kind>
      Given the second server is of <kind>
      And the tap removes STARTTLS
      When the gateway sends a message to the second server
      Then the message claims TLS in its Received lines only for the first hop

      Examples:
        | kind          |
        | the same kind |
        | another kind  |

  @EXO-MSG-03 @sender
  Rule: The gateway negotiates TLS with the partner anew, whatever the first hop had

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

  @EXO-MSG-03 @sender
  Rule: The gateway negotiates TLS with the second server anew, whatever the first hop had

    Background:
      Given the message was submitted over TLS

    @control
    Example: a second server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And each hop has a TLS session of its own

    Scenario Outline: a second server of <kind>
      Given the second server is of <kind>
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And each hop has a TLS session of its own

      Examples:
        | kind         |
        | another kind |

  @EXO-MSG-04 @receiver
  Rule: TLS does not change a message that the gateway receives

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: delivered unencrypted
      Given the client does not use TLS
      When the client delivers a message
      Then the message reaches the mailbox unchanged

    Example: delivered over TLS
      When the client delivers a message
      Then the message reaches the mailbox unchanged

  @EXO-MSG-04 @sender
  Rule: TLS does not change a message that the gateway sends

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: sent unencrypted
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives exactly once and complete

    Example: sent over TLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once and complete

  @EXO-MSG-05 @sender
  Rule: A message with encrypted content stays unreadable on an unencrypted hop

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the partner does not offer STARTTLS

    @control
    Example: a readable message
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message can be read on the wire

    Example: a message with encrypted content
      Given the message is encrypted with S/MIME
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the message can be decrypted by its recipient and read by nobody else

  @EXO-MSG-06 @sender
  Rule: The protection of a connector ends at the partner, and the gateway claims no more

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that keeps the message
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that passes the message on unencrypted
      Given the partner passes the message on unencrypted
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway claims no protection beyond the first hop

  @EXO-MSG-06 @sender
  Rule: The protection of a service ends at the second server, and the gateway claims no more

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a second server of the same kind, which passes the message on unencrypted
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway claims no protection beyond the first hop

    Scenario Outline: a second server of <kind>, which passes the message on unencrypted
      Given the second server is of <kind>
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway claims no protection beyond the first hop

      Examples:
        | kind         |
        | another kind |
