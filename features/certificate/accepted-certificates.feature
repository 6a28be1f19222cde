Feature: Which certificates the gateway accepts from partners and clients

  @EXO-FRC-09 @must @sender
  Rule: With certificate validation, the gateway does not compare the name in the partner's certificate

    Background:
      Given an outbound connector that requires certificate validation for the partner's domain

    @control
    Example: a partner with a certificate for its own name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate for another name
      Given the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-FRC-09 @must @sender
  Rule: With domain validation, the gateway sends no mail to a partner whose certificate is for another name

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a certificate for its own name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate for another name
      Given the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Example: the reason why the message waits for a partner with a certificate for another name
      Given the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names the certificate

  @EXO-FRC-10 @must @sender
  Rule: If the connector gives a name for the partner's certificate, the gateway accepts this name and no other

    Background:
      Given an outbound connector that expects a certificate for mail.partner.test

    @control
    Example: a partner with a certificate for exactly this name
      Given the partner shows a certificate for mail.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate for <name>
      Given the partner shows a certificate for <name>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | name                         |
        | other.test                   |
        | mx.partner.test              |
        | partner.test                 |
        | evilmail.partner.test        |
        | mail.partner.test.other.test |

    Example: a partner with a certificate only for its mail exchanger
      Given the partner shows a certificate only for its mail exchanger
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-10 @must @sender
  Rule: If the connector gives a name that begins with a wildcard, the gateway accepts names directly below it, but neither the bare domain nor look-alikes
    Not tested: names two levels below the wildcard, because the sources do not say whether it covers them, and a
    wildcard inside a name, which a gateway has to refuse as configuration.

    Background:
      Given an outbound connector that expects a certificate for *.partner.test

    @control
    Example: a partner with a certificate for a name directly below the wildcard
      Given the partner shows a certificate for mx.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate for another name directly below the wildcard
      Given the partner shows a certificate for mail.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate for <name>
      Given the partner shows a certificate for <name>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | name                       |
        | other.test                 |
        | partner.test               |
        | mx.evilpartner.test        |
        | evilpartner.test           |
        | mx.partner.test.other.test |

  @EXO-FRC-14 @must @receiver
  Rule: The gateway refuses mail from a client whose certificate has the required name but is not valid

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | flaw                                       |
        | expired                                    |
        | from an unknown authority                  |
        | self-signed                                |
        | issued by a server instead of an authority |
        | without its intermediate                   |
