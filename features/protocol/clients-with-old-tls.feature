@receiver
Feature: Clients with old TLS

  @EXO-VER-05 @observed
  Rule: Where TLS is optional, the gateway refuses TLS 1.0, and accepts unencrypted mail from a client that has only TLS 1.0

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

    Example: a client with TLS 1.0 at most that comes again without TLS
      Given the client supports TLS 1.0 at most and then delivers unencrypted
      When the client delivers a message
      Then the gateway accepts the unencrypted message

  @EXO-VER-05 @observed
  Rule: Where TLS is required, the gateway refuses unencrypted mail from a client that has only TLS 1.0

    Background:
      Given an inbound connector that requires TLS for the client's domain

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

    Example: a client with TLS 1.0 at most that comes again without TLS
      Given the client supports TLS 1.0 at most and then delivers unencrypted
      When the client delivers a message
      Then the gateway refuses the message because TLS is missing

  @M3-01 @should
  Rule: The gateway offers TLS with forward secrecy to every client

    Background:
      Given no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.2 and TLS 1.3
      When the client delivers a message
      Then the gateway accepts the message over TLS
      And the wire shows a session with forward secrecy

    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2
      And the wire shows a session with forward secrecy
