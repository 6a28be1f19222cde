Feature: An attacker on the path between two servers of a service
  The tap plays the attacker.

  @EXO-S2S-05 @must @sender
  Rule: If an attacker prevents TLS to the second server or shows a certificate of its own, the gateway keeps the message queued

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: the tap changes nothing
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

    Scenario Outline: the tap <interference> on the path to a server of <kind>
      Given the second server is of <kind>
      And the tap <interference>
      When the gateway sends a message to the second server
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | kind          | interference                             |
        | the same kind | removes STARTTLS                         |
        | the same kind | resets the connection at the ClientHello |
        | the same kind | resets the connection at the ServerHello |
        | the same kind | shows a certificate of its own           |
        | another kind  | removes STARTTLS                         |

    Example: the tap overwrites the go-ahead with a permanent refusal
      Given the second server is of the same kind
      And the tap overwrites the go-ahead
      When the gateway sends a message to the second server
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

  @EXO-S2S-05 @must @sender
  Rule: Once the attacker is gone, the gateway sends the waiting message to the second server over TLS

    Background:
      Given the gateway and the second server belong to one service
      And the second server is of the same kind

    @control
    Example: the tap changes nothing
      When the gateway tries up to 2 times to send a message to the second server
      Then the message arrives over TLS
      And the message arrives exactly once

    Scenario Outline: the tap <interference> on the first connection
      Given the tap <interference> on the first connection
      When the gateway tries up to 2 times to send a message to the second server
      Then the message arrives over TLS
      And the message arrives exactly once

      Examples:
        | interference                             |
        | removes STARTTLS                         |
        | resets the connection at the ClientHello |

  @EXO-S2S-05 @must @receiver
  Rule: If an attacker removes STARTTLS, the gateway refuses the unencrypted message from the second server

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: the tap changes nothing
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS

    Scenario Outline: the tap removes STARTTLS on the path from a server of <kind>
      Given the second server is of <kind>
      And the tap removes STARTTLS
      When the second server sends a message to the gateway
      Then the gateway refuses the message because TLS is missing

      Examples:
        | kind          |
        | the same kind |
        | another kind  |
