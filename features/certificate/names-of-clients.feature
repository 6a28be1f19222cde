@receiver
Feature: The names in a client's certificate

  @ID-01 @must
  Rule: If a client's certificate lists DNS names, the gateway compares only these with the name that the connector requires

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client whose certificate lists its name
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client whose certificate has another common name beside its name
      Given the client shows a certificate that is with another common name beside the right name
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | flaw                                                  |
        | for another name, with the right name as common name  |
        | with the right name only in a URI                     |
        | with the right name only in an e-mail address         |
        | for the right name with a NUL byte and more behind it |

  @ID-02 @must
  Rule: In a client's certificate, the gateway accepts no wildcard that is less or more than the whole first label
    What the gateway does with a wildcard for exactly one label is up to its administrator.

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a certificate without a wildcard
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                                                   |
        | for a wildcard that would have to cover several labels |
        | for a wildcard that is only a part of a label          |
        | for a wildcard in the second label                     |
        | for * as the whole name                                |
