@sender
Feature: Which answers tell the status of a certificate
  A gateway that requires the status of certificates refuses a certificate that is revoked, and one of which it learns
  nothing. A gateway learns nothing from a wrong answer: one that is too old or too new, about another certificate, or not
  signed by the issuer or by a responder to which the issuer has given the right. If the gateway asks no partner for an
  answer in its ClientHello, the examples in which the partner sends one along are inapplicable.

  @OCSP-01 @must
  Rule: If the partner sends along an answer about its certificate, the gateway accepts the certificate only if the answer is good

    Background:
      Given the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: the answer is that the certificate is good
      Given the partner sends along that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: the answer is <answer>
      Given the partner sends along <answer>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | answer                          |
        | that its certificate is revoked |
        | that its certificate is unknown |
        | that no status can be given now |

  @OCSP-01 @must
  Rule: If the gateway asks the authority's responder, the gateway accepts the partner's certificate only if the answer is good

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a responder and no list

    @control
    Example: the answer is that the certificate is good
      Given the authority of the partner answers that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: the answer is <answer>
      Given the authority of the partner answers <answer>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | answer                          |
        | that its certificate is revoked |
        | that its certificate is unknown |
        | that no status can be given now |

  @OCSP-02 @must
  Rule: The gateway does not accept a certificate because of a wrong answer that the partner sends along

    Background:
      Given the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: an answer of the issuer
      Given the partner sends along that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: an answer of a responder to which the issuer has given the right
      Given the partner sends along that its certificate is good, by a responder that may say so
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <answer>
      Given the partner sends along <answer>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | answer                                       |
        | an answer about another certificate          |
        | an answer with a signature that does not fit |
        | an answer of another authority               |
        | an answer of a server of the same authority  |
        | an answer that has expired                   |
        | an answer from the future                    |

  @OCSP-02 @must
  Rule: The gateway does not accept a certificate because of a wrong answer of the responder that it asks

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a responder and no list

    @control
    Example: an answer of the issuer
      Given the authority of the partner answers that its certificate is good
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: an answer of a responder to which the issuer has given the right
      Given the authority of the partner answers that its certificate is good, by a responder that may say so
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <answer>
      Given the authority of the partner answers <answer>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | answer                                       |
        | an answer about another certificate          |
        | an answer with a signature that does not fit |
        | an answer of another authority               |
        | an answer of a server of the same authority  |
        | an answer that has expired                   |
        | an answer from the future                    |
