@sender
Feature: Answers about the status of a certificate that the partner sends along
  A partner can fetch the answer of its authority itself and send it along with its certificate (OCSP stapling). Then the
  gateway need not ask the authority.

  @OCSP-03 @should
  Rule: The gateway believes the authority's answer that a partner sends along about the partner's certificate
    Inapplicable if the gateway does not ask for an answer in its ClientHello: a partner sends an answer along only if asked.

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a good certificate
      Given the partner sends along that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a good certificate, in TLS 1.2
      Given the partner sends along that its certificate is good and supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Scenario Outline: the partner sends along <what>
      Given the partner sends along <what>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | what                                                         |
        | that its certificate is revoked                              |
        | that its certificate is revoked and supports TLS 1.2 at most |

  @OCSP-03 @should
  Rule: A gateway that requires the status of certificates is content with a good answer that the partner sends along, and asks nobody else

    Background:
      Given the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has no list and no answer for anybody

    @control
    Example: an answer that the partner sends along
      Given the partner sends along that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway asks nobody for the status of the certificate

    Example: an answer of a responder to which the authority has given the right
      Given the partner sends along that its certificate is good, by a responder that may say so
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: the partner sends along <what>
      Given the partner sends along <what>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | what                                                    |
        | an answer that has expired                              |
        | an answer that has expired and supports TLS 1.2 at most |

    Example: nothing that the partner sends along
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @OCSP-04 @may
  Rule: The gateway refuses a certificate that promises an answer about its status if the partner sends none along
    Inapplicable if the gateway does not ask for an answer in its ClientHello.

    Background:
      Given an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate that promises an answer about its status

    @control
    Example: the promise is kept
      Given the partner sends along that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: the promise is broken in TLS 1.2
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Example: the promise is broken
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message
