@sender
Feature: Outbound connectors that require TLS
  An outbound connector can require TLS for the domains that it names. The gateway keeps mail for these domains in its queue
  rather than send it unencrypted.

  @EXO-FRC-01 @must
  Rule: If the connector requires TLS and the partner does not offer STARTTLS, the gateway keeps the message queued

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message
      And the wire shows no session that ends without QUIT

    Example: the reason why the message waits for a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names TLS

  @EXO-FRC-01 @must
  Rule: If the connector requires TLS and the partner knows no EHLO, the gateway sends nothing unencrypted after HELO

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that knows EHLO
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner that knows no EHLO
      Given the partner knows no EHLO
      When the gateway sends a message to the partner
      Then the wire shows no unencrypted part of the message

  @EXO-FRC-01 @must
  Rule: If the connector requires TLS and the partner offers STARTTLS at no attempt, the gateway sends nothing unencrypted at a later one

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that offers STARTTLS at once
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once

    Example: a partner that offers STARTTLS at neither attempt
      Given the partner does not offer STARTTLS
      When the gateway tries up to 2 times to send a message to the partner
      Then the message does not arrive
      And the wire shows no unencrypted part of the message

  @EXO-FRC-04 @must
  Rule: If the partner offers STARTTLS only at the second attempt, the gateway then sends the message that waited, over TLS and once

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that offers STARTTLS at once
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once

    Example: a partner that does not offer STARTTLS on the first connection
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS
      And the message arrives exactly once

  @EXO-FRC-06 @must
  Rule: With encryption only, the gateway requires TLS and accepts any certificate

    Background:
      Given an outbound connector that requires encryption only for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | flaw             |
        | self-signed      |
        | expired          |
        | for another name |

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-07 @must
  Rule: With certificate validation, the gateway sends no mail to a partner whose certificate is untrusted or outside its validity, or that offers no STARTTLS

    Background:
      Given an outbound connector that requires certificate validation for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no MAIL command
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                       |
        | from an unknown authority                  |
        | self-signed                                |
        | expired                                    |
        | not yet valid                              |
        | issued by a server instead of an authority |

    Example: a partner that goes on unencrypted when the gateway has ended TLS because of the certificate
      Given the partner shows a certificate that is self-signed and goes on unencrypted when TLS has ended
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Example: the reason why the message waits for a partner with a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names the certificate
