Feature: Mail between two servers of one service

  @EXO-S2S-01 @must @sender
  Rule: The gateway sends all mail to the second server over TLS, also a notification and a message for the second server's postmaster

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a message to a server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

    Scenario Outline: <mail> to a server of <kind>
      Given the second server is of <kind>
      When the gateway sends <mail> to the second server
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

      Examples:
        | kind          | mail                                         |
        | the same kind | a notification                               |
        | the same kind | a message for the second server's postmaster |
        | another kind  | a message                                    |
        | another kind  | a notification                               |
        | another kind  | a message for the second server's postmaster |

  @EXO-S2S-01 @must @receiver
  Rule: If the second server sends over TLS, the gateway accepts the message and delivers it to the mailbox

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a message from a server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the message reaches the mailbox

    Example: a message from a server of another kind
      Given the second server is of another kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the message reaches the mailbox

  @EXO-S2S-02 @must @sender
  Rule: The gateway sends mail to the second server over TLS 1.2 and over no older version

    Background:
      Given the gateway and the second server belong to one service
      And the service uses only TLS 1.2

    @control
    Example: a message to a server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS 1.2

    Example: a message to a server of another kind
      Given the second server is of another kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS 1.2

    Example: the tap offers only TLS 1.1
      Given the second server is of the same kind
      And the tap offers only TLS 1.1
      When the gateway sends a message to the second server
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

  @EXO-S2S-02 @must @receiver
  Rule: The gateway accepts mail from the second server over TLS 1.2 and over no older version

    Background:
      Given the gateway and the second server belong to one service
      And the service uses only TLS 1.2

    @control
    Example: a message from a server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS 1.2

    Example: a message from a server of another kind
      Given the second server is of another kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS 1.2

    Example: the tap offers only TLS 1.1
      Given the second server is of the same kind
      And the tap offers only TLS 1.1
      When the second server sends a message to the gateway
      Then the gateway refuses the TLS handshake

  @EXO-S2S-03 @must @sender
  Rule: The gateway sends mail for a mailbox on the second server over TLS, and the gateway's Received line agrees with the wire

    Background:
      Given the gateway and the second server belong to one service
      And the message was submitted over TLS

    @control
    Example: a message to a mailbox on a server of the same kind
      Given the second server is of the same kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway's Received line agrees with the wire

    Example: a message to a mailbox on a server of another kind
      Given the second server is of another kind
      When the gateway sends a message to the second server
      Then the message arrives over TLS
      And the gateway's Received line agrees with the wire

  @EXO-S2S-03 @must @receiver
  Rule: The gateway accepts mail from a mailbox on the second server over TLS, and the gateway's Received line agrees with the wire

    Background:
      Given the gateway and the second server belong to one service

    @control
    Example: a message from a mailbox on a server of the same kind
      Given the second server is of the same kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the gateway's Received line agrees with the wire

    Example: a message from a mailbox on a server of another kind
      Given the second server is of another kind
      When the second server sends a message to the gateway
      Then the gateway accepts the message over TLS
      And the gateway's Received line agrees with the wire
