@sender
Feature: Pins on the certificate of the mail service
  Some administrators pin more of a partner's certificate than its name. When the service changed its authority, its
  organisation stayed the same. Its unit, its issuer and its key did not.

  @EXO-TRN-05 @must
  Rule: While the service shows its former certificate, the gateway sends mail over TLS, whatever the connector pins of this certificate

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the former certificate of the service

    @control
    Example: a connector that uses opportunistic TLS
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a connector that <demand>
      Given an outbound connector that <demand> for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | demand                     |
        | requires domain validation |
        | pins the organisation      |
        | pins the unit              |
        | pins the issuer            |
        | pins the key               |

  @EXO-TRN-05 @must
  Rule: When the service shows its present certificate, the gateway still sends mail if the connector compares the name or pins the organisation

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the present certificate of the service

    @control
    Example: a connector that uses opportunistic TLS
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a connector that <demand>
      Given an outbound connector that <demand> for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | demand                     |
        | requires domain validation |
        | pins the organisation      |

  @EXO-TRN-05 @must
  Rule: When the service shows its present certificate, the gateway keeps mail queued if the connector pins the former unit, issuer or key

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the present certificate of the service

    @control
    Example: a connector that uses opportunistic TLS
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a connector that <demand>
      Given an outbound connector that <demand> for the partner's domain
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | demand          |
        | pins the unit   |
        | pins the issuer |
        | pins the key    |
