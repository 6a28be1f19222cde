@sender
Feature: Revoked certificates
  The authority of a certificate tells whether it has revoked the certificate: in a list, and in answers about single
  certificates. The certificate names the addresses of both.

  @EXO-FRC-08 @must
  Rule: The gateway does not send mail that requires certificate validation to a partner whose certificate is revoked

    Background:
      Given an outbound connector that requires certificate validation, status included, for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: a certificate that is not revoked
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a certificate that is revoked
      Given the authority of the partner has revoked its certificate
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-FRC-08 @must
  Rule: The gateway does not send mail that requires domain validation to a partner whose certificate is revoked
    Domain validation is certificate validation with a name.

    Background:
      Given an outbound connector that requires domain validation, status included, for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: a certificate that is not revoked
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a certificate that is revoked
      Given the authority of the partner has revoked its certificate
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-REV-01 @must
  Rule: If the connector requires domain validation, the gateway asks the authority of the partner's certificate for the certificate's status

    Background:
      Given an outbound connector that requires domain validation, status included, for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: a certificate that is not revoked
      When the gateway sends a message to the partner
      Then the gateway asks the authority of the partner for the status of its certificate

    Example: a certificate that is revoked
      Given the authority of the partner has revoked its certificate
      When the gateway sends a message to the partner
      Then the gateway asks the authority of the partner for the status of its certificate
