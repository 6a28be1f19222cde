Feature: An inbound and an outbound connector for the same domain
  If TLS fails in one direction, mail stops in this direction only.

  @EXO-CON-03 @must @receiver
  Rule: The gateway requires TLS of the client, whether TLS works with the partner of the same domain or not

    Background:
      Given an inbound and an outbound connector that require TLS for the same domain

    @control
    Example: TLS in both directions
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the gateway accepts the incoming message over TLS

    Example: a client without TLS
      Given the client does not use TLS
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the gateway refuses the incoming message because TLS is missing

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the gateway accepts the incoming message over TLS

  @EXO-CON-03 @must @sender
  Rule: The gateway requires TLS of the partner, whether TLS works with the client of the same domain or not

    Background:
      Given an inbound and an outbound connector that require TLS for the same domain

    @control
    Example: TLS in both directions
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the outgoing message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the outgoing message stays queued

    Example: a client without TLS
      Given the client does not use TLS
      When the gateway sends the partner a message and the client of the same domain delivers one
      Then the outgoing message arrives over TLS

  @EXO-CON-03 @must @receiver
  Rule: The gateway requires TLS of mail from the second server, whether TLS works for mail to it or not

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: TLS in both directions with a server of the same kind
      Given the second server is of the same kind
      When the gateway and the second server send each other a message
      Then the gateway accepts the incoming message over TLS

    Example: TLS in both directions with a server of another kind
      Given the second server is of another kind
      When the gateway and the second server send each other a message
      Then the gateway accepts the incoming message over TLS

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

  @EXO-CON-03 @must @sender
  Rule: The gateway requires TLS of mail to the second server, whether TLS works for mail from it or not

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: TLS in both directions with a server of the same kind
      Given the second server is of the same kind
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS

    Example: TLS in both directions with a server of another kind
      Given the second server is of another kind
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS

    Example: the tap removes STARTTLS from outgoing mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from outgoing mail
      When the gateway and the second server send each other a message
      Then the outgoing message stays queued

    Example: the tap removes STARTTLS from incoming mail
      Given the second server is of the same kind
      And the tap removes STARTTLS from incoming mail
      When the gateway and the second server send each other a message
      Then the outgoing message arrives over TLS
