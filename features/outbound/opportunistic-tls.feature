@sender
Feature: Opportunistic TLS towards receivers that no connector names
  Without a connector, encryption is tried first and never forced: mail goes out in the best way that the other side
  can take.

  @EXO-OPP-01
  Rule: Encryption is the first choice wherever the receiver offers it

    @control
    Example: a partner with STARTTLS
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And no MAIL command was sent before TLS

    Example: a partner with STARTTLS and a certificate that nobody can check
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And no MAIL command was sent before TLS

  @EXO-OPP-04
  Rule: A receiver without TLS still gets the message, in clear and without delay

    @control
    Example: a partner with STARTTLS
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given no outbound connector for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives in clear
      And it took a single connection

  @EXO-OPP-05
  Rule: A certificate that cannot be verified is no reason to give up encryption

    @control
    Example: a partner with a good certificate
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And it took a single connection

    Scenario Outline: a certificate that is <flaw>
      Given no outbound connector for the partner's domain
      And the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear

      Examples:
        | flaw                      |
        | self-signed               |
        | expired                   |
        | not yet valid             |
        | for another name          |
        | from an unknown authority |

  @EXO-OPP-06
  Rule: After a broken handshake the message goes out in clear on a new connection or waits, and is never lost

    @control
    Example: a partner whose handshake works
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given no outbound connector for the partner's domain
      And the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives in clear or stays queued
      And no command followed the broken handshake on its connection

      Examples:
        | fault                                  |
        | closes instead of a handshake          |
        | resets the connection at the handshake |
        | talks garbage instead of a handshake   |
        | ends the handshake with an alert       |
        | answers the handshake in clear         |

    @retry
    Example: a handshake that breaks once
      Given no outbound connector for the partner's domain
      And the partner ends the handshake with an alert on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then it arrives exactly once

  @EXO-OPP-08
  Rule: The decision is taken per destination, also within one message

    @control
    Example: three partners with STARTTLS
      Given a message for these partners
        | partner | connector | STARTTLS |
        | first   | none      | offered  |
        | second  | none      | offered  |
        | third   | forced    | offered  |
      When the gateway sends the message to all of them
      Then the copies fare so
        | partner | fate             |
        | first   | arrives over TLS |
        | second  | arrives over TLS |
        | third   | arrives over TLS |

    Example: one with TLS, one without, one without that must not go out in clear
      Given a message for these partners
        | partner | connector | STARTTLS |
        | first   | none      | offered  |
        | second  | none      | hidden   |
        | third   | forced    | hidden   |
      When the gateway sends the message to all of them
      Then the copies fare so
        | partner | fate             |
        | first   | arrives over TLS |
        | second  | arrives in clear |
        | third   | is held back     |
      And no partner hears of the others' recipients
