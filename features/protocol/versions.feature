Feature: TLS versions and cipher suites

  @EXO-VER-02 @sender @receiver
  Rule: TLS 1.2 is switched on and used in both directions

    @control
    Example: both sides choose freely
      Given no outbound connector for the partner's domain
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: mail to a partner that has TLS 1.2 at most
      Given no outbound connector for the partner's domain
      And the partner speaks TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: mail from a sender that has TLS 1.2 at most
      Given no inbound connector for the sender's domain
      And the sender speaks TLS 1.2 at most
      When the sender delivers a message
      Then the gateway accepts the message over TLS 1.2

  @EXO-VER-03 @receiver
  Rule: Handshakes with TLS 1.0 and 1.1 are refused while TLS 1.2 works

    @control
    Example: TLS 1.2
      Given no inbound connector for the sender's domain
      And the sender speaks TLS 1.2 at most
      When the sender delivers a message
      Then the gateway accepts the message over TLS 1.2

    Scenario Outline: <version>
      Given no inbound connector for the sender's domain
      And the sender speaks <version> at most
      When the sender delivers a message
      Then the gateway refuses the handshake

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @EXO-VER-04 @sender
  Rule: The gateway never uses TLS 1.0 or 1.1 as a sender and does not offer them

    @control
    Example: a partner that has TLS 1.2 at most
      Given no outbound connector for the partner's domain
      And the partner speaks TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the gateway offered TLS 1.2 or newer only

    Scenario Outline: a partner that has <version> at most
      Given no outbound connector for the partner's domain
      And the partner speaks <version> at most
      When the gateway sends a message to the partner
      Then no TLS session was made with an older version than TLS 1.2
      And the gateway offered TLS 1.2 or newer only

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @EXO-OPP-02 @sender
  Rule: The highest version that both sides have is used, in a single handshake

    @control
    Example: a partner that has TLS 1.3
      Given no outbound connector for the partner's domain
      And the partner speaks TLS 1.3 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.3
      And it took a single connection

    Example: a partner that has TLS 1.2 at most
      Given no outbound connector for the partner's domain
      And the partner speaks TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And it took a single connection

    Example: a partner that ends the handshake is not tried again with a lower version
      Given no outbound connector for the partner's domain
      And the partner ends the handshake with an alert
      When the gateway sends a message to the partner
      Then no later handshake offered a lower version
