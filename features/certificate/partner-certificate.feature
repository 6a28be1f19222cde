Feature: Which certificates the gateway accepts from others

  @EXO-FRC-09 @sender
  Rule: Certificate validation does not compare the name in the certificate

    Background:
      Given an outbound connector that requires certificate validation for the partner's domain

    @control
    Example: a certificate for the right name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a certificate for another name
      Given the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

  @EXO-FRC-09 @sender
  Rule: Domain validation compares the name in the certificate

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a certificate for the right name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a certificate for another name
      Given the partner shows a certificate that is for another name
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-10 @sender
  Rule: Domain validation compares with the name that the connector gives

    Background:
      Given an outbound connector that expects a certificate for mail.partner.test

    @control
    Example: a certificate for exactly that name
      Given the partner shows a certificate for mail.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate for <name>
      Given the partner shows a certificate for <name>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | name                         |
        | other.test                   |
        | mx.partner.test              |
        | evilmail.partner.test        |
        | mail.partner.test.other.test |

    Example: a certificate only for the partner's mail exchanger
      Given the partner shows a certificate only for its mail exchanger
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-10 @sender
  Rule: A leading wildcard in the connector's name covers the names below it and no other

    Background:
      Given an outbound connector that expects a certificate for *.partner.test

    @control
    Example: a certificate for a name below the wildcard
      Given the partner shows a certificate for mx.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a certificate for <name>
      Given the partner shows a certificate for <name>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | name                       |
        | partner.test               |
        | mx.evilpartner.test        |
        | evilpartner.test           |
        | mx.partner.test.other.test |

  @EXO-FRC-14 @receiver
  Rule: A flawed certificate does not authenticate a client, even if the name is right

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a valid certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                      |
        | expired                   |
        | from an unknown authority |
        | self-signed               |
        | issued by no authority    |
