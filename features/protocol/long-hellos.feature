Feature: Long ClientHellos and hybrid groups
  A hybrid group makes a ClientHello longer than one TCP segment.

  @RFC8446-01 @must @receiver
  Rule: The gateway serves a client whose ClientHello needs several records and segments

    @control
    Example: a client with a short ClientHello
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with a long ClientHello
      Given the client offers only TLS 1.2, in several records and segments
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

  @RFC8446-01 @must @sender
  Rule: The gateway sends another ClientHello if the partner asks for it, and takes no record that is too long

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that takes the first ClientHello
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that asks for another group
      Given the partner accepts only the group P-384
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that sends a record that is too long
      Given the partner answers the ClientHello with a record that is too long
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off

  @PQC-01 @observed @receiver
  Rule: The gateway accepts hybrid groups

    @control
    Example: a client with elliptic curves
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with hybrid groups
      Given the client offers only hybrid groups
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

  @PQC-01 @observed @sender
  Rule: The gateway offers hybrid groups

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that accepts any group
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that accepts only a hybrid group
      Given the partner accepts only the group X25519MLKEM768
      When the gateway sends a message to the partner
      Then the message arrives over TLS
