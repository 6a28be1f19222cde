Feature: Old versions by the calendar of the service
  Old versions worked, then they worked unsupported, and then they were removed.

  @EXO-VER-01 @observed @receiver
  Rule: As long as the service has TLS 1.0 and TLS 1.1, the gateway takes mail over them

    Background:
      Given the gateway stands in for the service of 2018
      And no inbound connector for the client's domain

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

    Example: a client with TLS 1.1 at most
      Given the client supports TLS 1.1 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.1

    Example: a client with TLS 1.0 at most
      Given the client supports TLS 1.0 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.0

  @EXO-VER-09 @observed @receiver
  Rule: Until the service removes TLS 1.1, the gateway takes mail over it, and the report says from when on it is unsupported

    Background:
      Given no inbound connector for the client's domain
      And the client supports TLS 1.1 at most

    @control
    Example: a day on which TLS 1.1 is supported
      Given the gateway stands in for the service of 2018-10-30
      When the client delivers a message
      Then the gateway treats TLS 1.1 as the service did on that day

    Scenario Outline: a day on which TLS 1.1 works unsupported, <day>
      Given the gateway stands in for the service of <day>
      When the client delivers a message
      Then the gateway treats TLS 1.1 as the service did on that day

      Examples:
        | day        |
        | 2018-10-31 |
        | 2021-01-10 |

  @EXO-VER-09 @observed @receiver
  Rule: From the day on which the service removes TLS 1.1, the gateway refuses it

    Background:
      Given no inbound connector for the client's domain
      And the gateway stands in for the service of 2021-01-11

    @control
    Example: a client with TLS 1.2 at most
      Given the client supports TLS 1.2 at most
      When the client delivers a message
      Then the gateway accepts the message over TLS 1.2

    Example: a client with TLS 1.1 at most
      Given the client supports TLS 1.1 at most
      When the client delivers a message
      Then the gateway treats TLS 1.1 as the service did on that day

  @EXO-VER-09 @observed @sender
  Rule: Until the service removes TLS 1.1, the gateway sends over it, and the report says from when on it is unsupported

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the partner has TLS 1.1 alone

    @control
    Example: a day on which TLS 1.1 is supported
      Given the gateway stands in for the service of 2018-10-30
      When the gateway sends a message to the partner
      Then the message arrives over the TLS of that day

    Scenario Outline: a day on which TLS 1.1 works unsupported, <day>
      Given the gateway stands in for the service of <day>
      When the gateway sends a message to the partner
      Then the message arrives over the TLS of that day

      Examples:
        | day        |
        | 2018-10-31 |
        | 2021-01-10 |

  @EXO-VER-09 @observed @sender
  Rule: From the day on which the service removes TLS 1.1, the gateway does not send over it

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the gateway stands in for the service of 2021-01-11

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with TLS 1.1 alone
      Given the partner has TLS 1.1 alone
      When the gateway sends a message to the partner
      Then the wire shows no TLS session older than TLS 1.2
