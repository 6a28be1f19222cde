Feature: Old versions by the calendar of the service
  Old versions worked, then they worked unsupported, and then they were removed.

  @EXO-VER-01 @observed @receiver
  Rule: A gateway that stands in for the service of 2018 accepts mail over TLS 1.0 and over TLS 1.1

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
  Rule: A gateway that stands in for the service before it removes TLS 1.1 accepts mail over TLS 1.1

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
  Rule: A gateway that stands in for the service from the day on which it removes TLS 1.1 refuses TLS 1.1

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
  Rule: A gateway that stands in for the service before it removes TLS 1.1 sends over TLS 1.1

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the partner supports only TLS 1.1

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
  Rule: A gateway that stands in for the service from the day on which it removes TLS 1.1 does not send over TLS 1.1

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the gateway stands in for the service of 2021-01-11

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with only TLS 1.1
      Given the partner supports only TLS 1.1
      When the gateway sends a message to the partner
      Then the wire shows no TLS session older than TLS 1.2
