Feature: Sessions that are resumed
  In a resumed session nobody shows a certificate again. No Rule demands that a gateway resumes sessions.
  The earlier message of the gateway goes to another domain at the same partner, for which TLS is optional.

  @BCP-06 @should @receiver
  Rule: The gateway demands of a client that resumes a session what it demands of every client

    Background:
      Given an inbound connector that requires a certificate with the client's name
      And the client resumes an earlier session

    @control
    Example: a client that showed a valid certificate in that session
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message over TLS

    Example: a client that showed no certificate in that session
      When the client delivers a message
      Then the gateway refuses the message

  @BCP-06 @should @receiver
  Rule: The gateway begins a fresh session with a client whose ticket it does not know

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client without a ticket
      When the client delivers a message
      Then the gateway accepts the message over TLS

    Example: a client with an old ticket
      Given the client offers a ticket that the gateway does not know
      When the client delivers a message
      Then the gateway accepts the message over TLS

  @BCP-06 @should @sender
  Rule: The gateway demands of a partner that resumes a session what the connector demands

    Background:
      Given an outbound connector that requires domain validation for the partner's domain
      And the gateway has sent the partner a message before, for which TLS is optional

    @control
    Example: a partner with a valid certificate
      Given the partner resumes sessions
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner whose keys for tickets are new
      Given the partner has new keys for tickets
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a self-signed certificate
      Given the partner resumes sessions and shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message does not arrive

  @RFC8446-02 @observed @receiver
  Rule: The gateway sends no session ticket before it has the client's Finished
    A server may do so, and servers in Go do. A large sender hung up on such servers for days.

    @control
    Example: a client that sends its Finished at once
      Given the client offers TLS 1.2 and TLS 1.3
      When the lab probes the TLS of the gateway
      Then the gateway chooses the newest version that it accepts

    Example: a client that keeps its Finished back
      Given the client offers TLS 1.3, and keeps its Finished back
      When the lab probes the TLS of the gateway
      Then the gateway sends no session ticket

  @RFC8446-02 @observed @sender
  Rule: Where TLS is optional, the gateway goes on if the partner sends a session ticket before the gateway's Finished

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over the highest TLS version of the gateway

    Example: a partner that sends the ticket early
      Given the partner sends a session ticket before the gateway's Finished
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.3, if the gateway offers this version

  @RFC8446-02 @observed @sender
  Rule: Where TLS is required, the gateway goes on if the partner sends a session ticket before the gateway's Finished

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.3
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that sends the ticket early
      Given the partner sends a session ticket before the gateway's Finished
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.3, if the gateway offers this version
