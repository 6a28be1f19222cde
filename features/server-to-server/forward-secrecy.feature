Feature: Forward secrecy between the servers of a service

  @EXO-S2S-04 @must @sender
  Rule: The gateway sends mail to the second server only with forward secrecy

    Background:
      Given the gateway and the second server belong to one service
      And the service uses only key exchange with forward secrecy

    @control
    Example: a second server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the wire shows a session with forward secrecy

    Example: a second server of another kind
      Given the second server is of another kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the wire shows a session with forward secrecy

    Example: the tap offers only key exchange by RSA
      Given the second server is of the same kind
      And the tap offers only key exchange by RSA
      When the gateway sends a message to the second server
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

  @EXO-S2S-04 @must @receiver
  Rule: The gateway receives mail from the second server only with forward secrecy

    Background:
      Given the gateway and the second server belong to one service
      And the service uses only key exchange with forward secrecy

    @control
    Example: a second server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the wire shows a session with forward secrecy

    Example: a second server of another kind
      Given the second server is of another kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the wire shows a session with forward secrecy

    Example: the tap offers only key exchange by RSA
      Given the second server is of the same kind
      And the tap offers only key exchange by RSA
      When the second server sends a message to the gateway
      Then the gateway refuses the TLS handshake
