Feature: Keys and signatures of certificates
  A short key or a broken digest lets somebody else make a certificate that looks right.

  @EXO-CRT-05 @must @receiver
  Rule: The gateway refuses mail from a client whose certificate has a key of 1024 bits

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a key of usual length
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client with a key of 1024 bits
      Given the client shows a certificate that is with a key of 1024 bits
      When the client delivers a message
      Then the gateway refuses the message

  @EXO-CRT-11 @must @sender
  Rule: The gateway refuses certificates that an authority signed with SHA-1, and does not look at how a trusted root signed itself
    The former root signed itself with SHA-1, as most roots of its age did.

    Background:
      Given the gateway trusts both roots
      And an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate of the former authority

    @control
    Example: a root that signed itself with SHA-1
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                                |
        | signed with SHA-1                                   |
        | issued by an intermediate that is signed with SHA-1 |

  @EXO-CRT-11 @must @receiver
  Rule: The gateway refuses mail from a client whose certificate or intermediate an authority signed with SHA-1

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a certificate that is signed as usual
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                                                |
        | signed with SHA-1                                   |
        | issued by an intermediate that is signed with SHA-1 |
