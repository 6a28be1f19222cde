Feature: An attacker on the path injects unencrypted bytes around STARTTLS
  An attacker on the path can add bytes before the TLS handshake. If the gateway takes them for a part of the encrypted
  session, the attacker can send commands or replies there.

  @RFC3207-07 @must @receiver
  Rule: The gateway never executes inside TLS a command that came unencrypted after STARTTLS

    @control
    Example: nothing is injected
      When the client starts TLS
      Then the TLS handshake succeeds
      And the gateway answers each command inside TLS once

    Scenario Outline: <injected> behind STARTTLS
      Given the client sends <injected> behind STARTTLS
      When the client starts TLS
      Then the gateway executes nothing inside TLS that was injected before

      Examples:
        | injected                       |
        | a NOOP                         |
        | a NOOP in mixed case           |
        | blanks and a NOOP              |
        | a NOOP in a segment of its own |
        | the first half of a NOOP       |
        | a bare LF and a NOOP           |
        | a bare CR and a NOOP           |
        | a NOOP that ends in a bare LF  |
        | EHLO and MAIL                  |

  @RFC3207-08 @must @sender
  Rule: The gateway never takes a reply that came unencrypted after the go-ahead as a reply inside TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: nothing is injected
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <injected> behind the go-ahead
      Given the partner sends <injected> behind the go-ahead
      When the gateway sends a message to the partner
      Then the gateway takes no reply that came unencrypted

      Examples:
        | injected                            |
        | a whole reply to EHLO               |
        | "250-AUTH PLAIN" without a line end |
        | "250 " without a line end           |
