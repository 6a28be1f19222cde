@sender
Feature: Other mail exchangers, later attempts and the end of patience

  @RFC5321-01
  Rule: TLS trouble at one mail exchanger leads to the next, under the same requirements and in order of preference

    @control
    Example: three good mail exchangers
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And it arrives at mail exchanger 1

    Example: TLS is required and the first is broken
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | ends the handshake with an alert |
        | offers STARTTLS                  |
        | offers STARTTLS                  |
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And it arrives at mail exchanger 2

    Example: TLS is not required and the first has none
      Given no outbound connector for the partner's domain
      And the partner's mail exchangers, in order of preference
        | does not offer STARTTLS |
        | offers STARTTLS         |
        | offers STARTTLS         |
      When the gateway sends a message to the partner
      Then the message arrives in clear
      And it arrives at mail exchanger 1

    @domain-validation
    Example: a validated partner whose first is broken and whose others have a foreign certificate
      Given an outbound connector that requires domain validation
      And the partner's mail exchangers, in order of preference
        | ends the handshake with an alert |
        | shows a foreign certificate      |
        | shows a foreign certificate      |
      When the gateway sends a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

  @EXO-FRC-02 @retry
  Rule: Forced TLS holds when the handshake cannot be finished, on every mail exchanger and at every attempt

    @control
    Example: three good mail exchangers
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | offers STARTTLS |
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: two break the handshake, the last has no STARTTLS
      Given an outbound connector that requires TLS for the partner's domain
      And the partner's mail exchangers, in order of preference
        | ends the handshake with an alert |
        | closes instead of a handshake    |
        | does not offer STARTTLS          |
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

    Scenario Outline: a partner that <fault>
      Given an outbound connector that requires TLS for the partner's domain
      And the partner <fault>
      When the gateway tries up to 3 times to send a message to the partner
      Then the message is held back
      And nothing of it crossed the wire in clear

      Examples:
        | fault                                  |
        | resets the connection at the handshake |
        | talks garbage instead of a handshake   |
        | answers the handshake in clear         |
        | speaks TLS 1.1 at most                 |

  @RFC5321-02 @retry @expiry
  Rule: Mail held for want of TLS is ordinary queued mail: retried, and at the end returned to its author once

    @control
    Example: TLS comes back in time
      Given a gateway that gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: the first failure is not the end
      Given a gateway that gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued

    Example: patience ends, the author is told once
      Given a gateway that gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway tries up to 3 times to send a message to the partner
      Then the author gets one notification with a null return path

    Example: patience ends for a message without an author
      Given a gateway that gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the partner does not offer STARTTLS
      When the gateway tries up to 3 times to send a message without return path to the partner
      Then nobody gets a notification

  @RFC3207-03 @retry
  Rule: A temporary refusal of STARTTLS is handled by policy and forgotten by the next session

    @control
    Example: no refusal
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS

    Example: refused for now, TLS is not required
      Given no outbound connector for the partner's domain
      And the partner refuses STARTTLS with 454
      When the gateway sends a message to the partner
      Then the message arrives in clear or stays queued

    Example: refused twice, TLS is required
      Given an outbound connector that requires TLS for the partner's domain
      And the partner refuses STARTTLS with 454 on the first 2 connections
      When the gateway tries up to 3 times to send a message to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear

    Example: refused once, then another message follows
      Given no outbound connector for the partner's domain
      And the partner refuses STARTTLS with 454 on the first connection
      When the gateway sends two messages to the partner, one after the other
      Then the later message arrives over TLS
