@sender
Feature: A firewall between the gateway and the authority of a certificate
  A firewall that lets the gateway connect only to mail servers keeps it from learning whether a certificate is revoked.
  The Rules about gateways that ask authorities are inapplicable to all others.

  @EXO-REV-02 @must
  Rule: A gateway that requires the status of certificates keeps mail queued while the authority of the partner's certificate cannot be reached

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: an authority that can be reached
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an authority that cannot be reached: <why>
      Given the authority of the partner cannot be reached: <why>
      When the gateway sends a message to the partner
      Then the message stays queued for a reason that names the certificate
      And the wire shows no unencrypted part of the message

      Examples:
        | why                                    |
        | connections are refused                |
        | connections are dropped                |
        | the names are not found                |
        | a proxy answers with a page of its own |

  @EXO-REV-02 @must
  Rule: A gateway that does not require the status of certificates delivers, with a warning, while the authority cannot be reached

    Background:
      Given the gateway asks authorities for the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: an authority that can be reached
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an authority that cannot be reached: <why>
      Given the authority of the partner cannot be reached: <why>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway warns in its log that the status is not known

      Examples:
        | why                                    |
        | connections are refused                |
        | connections are dropped                |
        | the names are not found                |
        | a proxy answers with a page of its own |

  @EXO-REV-02 @must
  Rule: The gateway delivers opportunistic mail without delay while the authority of the partner's certificate cannot be reached

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: an authority that can be reached
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an authority that cannot be reached: <why>
      Given the authority of the partner cannot be reached: <why>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no delay before the MAIL command

      Examples:
        | why                     |
        | connections are refused |
        | connections are dropped |

  @EXO-REV-07 @should
  Rule: When the gateway can reach the authority again, the gateway sends the message that waited at the next attempt, without a restart

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: connections that were refused
      Given the authority of the partner cannot be reached before the second attempt: connections are refused
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an authority of which at first <why>
      Given the authority of the partner cannot be reached before the second attempt: <why>
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

      Examples:
        | why                                    |
        | connections are dropped                |
        | the names are not found                |
        | a proxy answers with a page of its own |

    Example: an authority that stays out of reach
      Given the authority of the partner cannot be reached: connections are refused
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message
