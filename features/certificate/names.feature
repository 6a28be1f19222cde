@sender
Feature: The names in a partner's certificate

  @ID-01 @must
  Rule: If a partner's certificate lists DNS names, the gateway compares only these with the name that it expects
    What the gateway does with a certificate that lists none, and has the right common name, is up to its administrator.

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner whose certificate lists its name
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a good certificate that is <kind>
      Given the partner shows a certificate that is <kind>
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | kind                                           |
        | with another common name beside the right name |
        | without a subject                              |

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                                  |
        | for another name, with the right name as common name  |
        | with the right name only in a URI                     |
        | with the right name only in an e-mail address         |
        | with an IP address in place of a name                 |
        | for the right name with a NUL byte and more behind it |

  @ID-02 @must
  Rule: In a partner's certificate, the gateway accepts a wildcard that is the whole first label, for exactly one label, and no other wildcard

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a certificate without a wildcard
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a wildcard for one label
      Given the partner shows a certificate with a wildcard for one label
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                                   |
        | for a wildcard that would have to cover several labels |
        | for a wildcard that is only a part of a label          |
        | for a wildcard in the second label                     |
        | for a wildcard in each of the first two labels         |
        | for * as the whole name                                |

  @ID-03 @must
  Rule: The gateway compares an internationalised domain in the form that the DNS has
    In this form the labels begin with xn-- and are called A-labels. U-labels have the letters themselves.

    Background:
      Given an outbound connector that requires domain validation for the partner's domain
      And the message goes to an internationalised domain

    @control
    Example: a message that names the domain with A-labels
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a message that names the domain with U-labels
      Given the message names the partner's domain with U-labels
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate that is for a name that looks like the right one
      Given the partner shows a certificate that is for a name that looks like the right one
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @ID-03 @must
  Rule: A connector also applies to a domain that is written with U-labels

    Background:
      Given an outbound connector that requires TLS for the partner's domain
      And the message goes to an internationalised domain
      And the message names the partner's domain with U-labels

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-CRT-07 @must
  Rule: The gateway compares names without regard to upper and lower case

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a certificate in small letters
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate in capitals
      Given the partner shows a certificate with its names in capitals
      When the gateway sends a message to the partner
      Then the message arrives over TLS
