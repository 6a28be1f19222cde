@sender
Feature: Which lists tell the status of a certificate
  A gateway that requires the status of certificates refuses a certificate that is revoked, and one of which it learns
  nothing. A wrong list tells nothing.

  @PKIX-05 @must
  Rule: The gateway uses only a list that is current, from the right issuer and signed by it

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a list and no responder

    @control
    Example: a list without the certificate
      Given the authority of the partner has a list without the certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <list>
      Given the authority of the partner has <list>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | list                                      |
        | a list with the certificate               |
        | a list that has expired                   |
        | a list from the future                    |
        | a list of another authority               |
        | a list with a signature that does not fit |
        | a list in a text format                   |

  @PKIX-05 @must
  Rule: The gateway does not refuse a certificate because of a wrong list where it does not require the status

    Background:
      Given the gateway asks authorities for the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a list and no responder

    @control
    Example: a list without the certificate
      Given the authority of the partner has a list without the certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <list>
      Given the authority of the partner has <list>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | list                                      |
        | a list that has expired                   |
        | a list of another authority               |
        | a list with a signature that does not fit |
