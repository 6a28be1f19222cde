Feature: Whose certificate opens the door

  @EXO-FRC-09 @sender @certificate-validation @domain-validation
  Rule: The name is compared at domain validation alone

    @control
    Example: the right name at certificate validation
      Given an outbound connector that requires certificate validation
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: another name at certificate validation
      Given an outbound connector that requires certificate validation
      And the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: another name at domain validation
      Given an outbound connector that requires domain validation
      And the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

  @EXO-FRC-10 @sender @tls-domain
  Rule: Domain validation compares with the configured name; a leading wildcard covers names below it

    @control
    Example: exactly the configured name
      Given an outbound connector that expects a certificate for mail.partner.test
      And the partner's certificate names mail.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a name below the configured wildcard
      Given an outbound connector that expects a certificate for *.partner.test
      And the partner's certificate names mx.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: the connector expects <expected>, the certificate names <shown>
      Given an outbound connector that expects a certificate for <expected>
      And the partner's certificate names <shown>
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

      Examples:
        | expected          | shown                        |
        | mail.partner.test | other.test                   |
        | mail.partner.test | mx.partner.test              |
        | mail.partner.test | evilmail.partner.test        |
        | mail.partner.test | mail.partner.test.other.test |
        | *.partner.test    | partner.test                 |
        | *.partner.test    | mx.evilpartner.test          |
        | *.partner.test    | evilpartner.test             |
        | *.partner.test    | mx.partner.test.other.test   |

    Example: the connector expects a name, the certificate names the mail exchanger
      Given an outbound connector that expects a certificate for mail.partner.test
      And the partner's certificate names its mail exchanger alone
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

  @EXO-FRC-14 @receiver @client-certificates
  Rule: A flawed certificate does not authenticate the partner, whatever name it bears

    @control
    Example: a good certificate
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a good certificate
      When the sender delivers a message
      Then the gateway accepts the message

    Scenario Outline: a certificate that is <flaw>
      Given an inbound connector that requires a certificate with the partner's name
      And the sender shows a certificate that is <flaw>
      When the sender delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                      |
        | expired                   |
        | from an unknown authority |
        | self-signed               |
        | for the wrong usage       |
        | issued by no authority    |
