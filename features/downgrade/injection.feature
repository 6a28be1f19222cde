Feature: Bytes smuggled in around STARTTLS

  @RFC3207-07 @receiver
  Rule: Commands that arrive in clear behind STARTTLS are never executed inside TLS

    @control
    Example: nothing is smuggled
      Given a gateway as it is
      When a sender says STARTTLS
      Then the handshake succeeds
      And the first reply inside TLS answers the first command inside TLS

    Scenario Outline: <smuggled>
      Given a gateway as it is
      When a sender smuggles <smuggled>
      Then nothing that was smuggled took effect inside TLS

      Examples:
        | smuggled                                       |
        | a NOOP behind STARTTLS                         |
        | a NOOP behind STARTTLS in mixed case           |
        | a NOOP behind STARTTLS with blanks at its end  |
        | a NOOP behind STARTTLS in a segment of its own |
        | half a command behind STARTTLS                 |
        | a greeting and a sender behind STARTTLS        |

  @RFC3207-08 @sender
  Rule: Answers that arrive in clear behind the go-ahead are never taken as answers inside TLS

    @control
    Example: nothing is smuggled
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <smuggled>
      Given no outbound connector for the partner's domain
      And the partner smuggles <smuggled>
      When the gateway sends a message to the partner
      Then the gateway waits for the answer inside TLS

      Examples:
        | smuggled                                          |
        | a whole answer to EHLO behind the go-ahead        |
        | half a line that lists AUTH behind the go-ahead   |
        | half a line that ends a reply behind the go-ahead |
