Feature: Certificates minutes before and after their dates
  A certificate is valid from its first date to its last one, to the second, and so is each of its issuers. A gateway
  that grants some minutes more, because clocks differ, accepts certificates that are not valid.

  @PKIX-01 @must @sender
  Rule: The gateway sends mail that requires domain validation while the partner's path is valid, and neither earlier nor later

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner whose path is valid for a long time
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a valid certificate that is <edge>
      Given the partner shows a certificate that is <edge>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | edge                                                       |
        | a few minutes before its end                               |
        | a few minutes past its beginning                           |
        | issued by an intermediate a few minutes before its end     |
        | issued by an intermediate a few minutes past its beginning |

    Scenario Outline: a partner with a certificate that is <edge>
      Given the partner shows a certificate that is <edge>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | edge                                                         |
        | a few minutes past its end                                   |
        | a few minutes before its beginning                           |
        | issued by an intermediate a few minutes past its end         |
        | issued by an intermediate a few minutes before its beginning |

  @PKIX-01 @must @receiver
  Rule: The gateway accepts mail from a client while the client's path is valid, and neither earlier nor later

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client whose path is valid for a long time
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a valid certificate that is <edge>
      Given the client shows a certificate that is <edge>
      When the client delivers a message
      Then the gateway accepts the message

      Examples:
        | edge                                                       |
        | a few minutes before its end                               |
        | a few minutes past its beginning                           |
        | issued by an intermediate a few minutes before its end     |
        | issued by an intermediate a few minutes past its beginning |

    Scenario Outline: a client with a certificate that is <edge>
      Given the client shows a certificate that is <edge>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | edge                                                         |
        | a few minutes past its end                                   |
        | a few minutes before its beginning                           |
        | issued by an intermediate a few minutes past its end         |
        | issued by an intermediate a few minutes before its beginning |
