@sender
Feature: Answers of partners that the gateway must not accept
  The lab writes the partner's answer to the ClientHello itself, without a TLS library, so that the partner can choose what
  it must not choose. A gateway that accepts the answer sends its own part of the key exchange. A gateway that does not accept
  it breaks the handshake off: it sends an alert or closes the connection. If the gateway does neither and only waits, the
  example is inconclusive.

  @EXO-VER-07 @must
  Rule: The gateway neither offers nor accepts SSL 2 and SSL 3 as a sender

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of SSL 2 or SSL 3

    Example: a partner that answers with SSL 3
      Given the partner answers the ClientHello with SSL 3
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off
      And the wire shows no offer of SSL 2 or SSL 3

  @EXO-VER-08 @must
  Rule: The gateway neither offers nor accepts suites with 3DES as a sender

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of suites with 3DES

    Example: a partner that answers with 3DES
      Given the partner answers the ClientHello with a suite with 3DES
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off
      And the wire shows no offer of suites with 3DES

  @RFC8996-02 @must
  Rule: If the partner chooses TLS 1.0 or TLS 1.1, the gateway breaks the handshake off with an alert

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of a version older than TLS 1.2

    Scenario Outline: a partner that answers with <version>
      Given the partner answers the ClientHello with <version>
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off with an alert
      And the wire shows no offer of a version older than TLS 1.2

      Examples:
        | version |
        | TLS 1.1 |
        | TLS 1.0 |

  @RFC8996-02 @must
  Rule: If the ServerHello has the mark of a downgrade to TLS 1.2, the gateway breaks the handshake off with an alert

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner with TLS 1.3 from which an attacker gets TLS 1.2
      Given the partner answers the ClientHello with TLS 1.2 and the mark of a downgrade
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off with an alert, if it offers TLS 1.3

  @BCP-02 @must
  Rule: Where TLS is required, the gateway neither offers nor accepts a suite with less than 112 bits of strength

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows no offer of suites with less than 112 bits of strength

    Scenario Outline: a partner that answers with <suite>
      Given the partner answers the ClientHello with <suite>
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off

      Examples:
        | suite                         |
        | a suite that encrypts nothing |
        | a suite with RC4              |
        | a suite of export strength    |
        | a suite with DES              |

  @BCP-04 @must
  Rule: Where TLS is required, the gateway accepts no group and no signature with less than 112 bits of strength

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Example: a partner that answers with a short finite field
      Given the partner answers the ClientHello with a finite field of 1024 bits
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off

    Example: a partner that answers with a short curve
      Given the partner answers the ClientHello with a curve of 192 bits
      When the gateway sends a message to the partner
      Then the wire shows no offer of curves of less than 224 bits
      And the wire shows that the gateway breaks the handshake off

    Example: a partner that answers with an old signature
      Given the partner answers the ClientHello with a signature with SHA-1
      When the gateway sends a message to the partner
      Then the wire shows no offer of signatures with SHA-1 or MD5
      And the wire shows that the gateway breaks the handshake off

  @BCP-04 @must
  Rule: Where a connector requires certificate validation, the gateway accepts no certificate with a key of 1024 bits

    Background:
      Given an outbound connector that requires certificate validation for the partner's domain

    @control
    Example: a partner with a key of 2048 bits
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a key of 1024 bits
      Given the partner shows a certificate that is with a key of 1024 bits
      When the gateway sends a message to the partner
      Then the message does not arrive

  @BCP-05 @must
  Rule: The gateway offers no dangerous option of TLS, offers those that protect, and accepts no partner without secure renegotiation

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with TLS 1.2 at most
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2
      And the wire shows an offer of secure renegotiation and the extended master secret
      And the wire shows no offer of a dangerous option

    Scenario Outline: a partner that answers <how>
      Given the partner answers the ClientHello <how>
      When the gateway sends a message to the partner
      Then the wire shows that the gateway breaks the handshake off

      Examples:
        | how                          |
        | with TLS compression         |
        | without secure renegotiation |
