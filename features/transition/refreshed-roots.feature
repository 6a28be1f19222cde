@sender
Feature: A gateway whose machine updates the trusted roots by itself
  Updates of the system bring new roots. No administrator has to install them, and nobody changes the mail server.

  @EXO-ROOT-01 @should
  Rule: The gateway sends the message that waited once its machine has fetched the partner's root, and keeps it queued if other roots were fetched

    Background:
      Given the gateway trusts only the former root
      And an outbound connector that requires domain validation for the partner's domain
      And the partner shows a certificate of the new authority

    @control
    Example: the root of the partner beside the former one
      Given the gateway's machine fetches the former root and the new one as trusted roots before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Scenario Outline: <what>
      Given the gateway's machine fetches <what> as trusted roots before the second attempt
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | what                                                         |
        | only the former root                                         |
        | the former root and another one with the name of the new one |
        | a web page in place of roots                                 |
