@sender
Feature: A gateway whose trusted roots only its administrator changes
  Such a gateway does not learn of a new root by itself. Until the administrator has installed the root, it has to refuse
  what the root has issued, whatever a partner shows.

  @EXO-ROOT-02 @must
  Rule: The gateway does not trust a root because a partner shows it, or because it has the name of a trusted one

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner under the root that the gateway trusts
      Given the partner shows a certificate of the former authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <shows>
      Given the partner <shows>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | shows                                                                          |
        | shows a certificate of the new authority                                       |
        | shows a certificate of the new authority with its root                         |
        | shows a certificate of an authority that only bears the name of the former one |

  @EXO-ROOT-02 @must
  Rule: The gateway sends the message that waited when its administrator has installed the root of the partner, and not after another certificate

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate of the new authority

    @control
    Example: the root of the partner
      Given the administrator installs the root of the new authority before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <what>
      Given the administrator installs <what> before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | what                                      |
        | another root with the name of the new one |
        | the partner's own certificate             |
        | the intermediate of the new authority     |

  @EXO-ROOT-03 @must
  Rule: The gateway trusts the partner's root only if the check of the gateway's trusted roots finds exactly this root
    The check compares fingerprints. It finds a root only in the set of trusted roots, and counts only roots there.

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate of the new authority

    @control
    Example: the root of the partner
      Given the administrator installs the root of the new authority before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the gateway trusts the root of the partner only if the check of its trusted roots finds it
      And the message arrives over TLS

    Scenario Outline: <what>
      Given the administrator installs <what> before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the gateway trusts the root of the partner only if the check of its trusted roots finds it
      And the message stays queued

      Examples:
        | what                                                               |
        | another root with the name of the new one                          |
        | the partner's own certificate                                      |
        | the intermediate of the new authority                              |
        | the root of the new authority among the gateway's own certificates |
