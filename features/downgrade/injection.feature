Feature: Unencrypted bytes that somebody injects around STARTTLS
  Somebody on the path can add bytes before the TLS handshake. If they count inside TLS, the attacker has a voice in the
  encrypted session.

  @RFC3207-07 @receiver
  Rule: The gateway never executes inside TLS a command that came unencrypted after STARTTLS

    @control
    Example: nothing is injected
      When the client starts TLS
      Then the TLS handshake succeeds
      And the gateway answers each command inside TLS once

    Scenario Outline: <injected>
      Given the client sends <injected> behind STARTTLS
      When the client starts TLS
      Then the gateway executes nothing inside TLS that was injected before

      Examples:
        | injected                       |
        | a NOOP                         |
        | a NOOP in mixed case           |
        | a NOOP after blanks            |
        | a NOOP in a segment of its own |
        | half a command                 |
        | a greeting and a sender        |

  @RFC3207-08 @sender
  Rule: The gateway never takes a reply that came unencrypted after the go-ahead as a reply inside TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: nothing is injected
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <injected>
      Given the partner sends <injected> behind the go-ahead
      When the gateway sends a message to the partner
      Then the gateway waits for the reply inside TLS

      Examples:
        | injected                      |
        | a whole reply to EHLO         |
        | half a line that lists AUTH   |
        | half a line that ends a reply |
