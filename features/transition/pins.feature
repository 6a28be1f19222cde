@sender
Feature: Pins on the certificate of the mail service
  Some administrators pin more of a partner's certificate than its name. When the service changed its authority, its
  organisation stayed the same. Its unit, its issuer and its key did not.

  @EXO-TRN-05 @must
  Rule: Before the change, mail goes out over a connector with whatever pin

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the certificate that the service had before its change

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
  Rule: After the change, mail still goes out over a connector that compares the name or the organisation

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the certificate that the service has after its change

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
  Rule: After the change, mail waits if its connector pins what has changed, also if the certificate has nothing in its place

    Background:
      Given the gateway trusts both roots of the service
      And the partner shows the certificate that the service has after its change

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
