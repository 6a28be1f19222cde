@sender
Feature: Retries, and messages that the gateway gives up on

  @RFC5321-02 @must
  Rule: If the connector requires TLS and the partner offers STARTTLS at neither of two attempts, the gateway keeps the message queued

    Background:
      Given an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that offers STARTTLS from the second attempt on
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives over TLS

    Example: a partner that offers STARTTLS at neither attempt
      Given the partner does not offer STARTTLS
      When the gateway tries up to 2 times to send a message to the partner
      Then the message stays queued

  @RFC5321-02 @must
  Rule: When the gateway gives up on a message that waited for TLS, the gateway notifies the author once

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that offers STARTTLS from the second attempt on
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Example: a partner that offers STARTTLS at no attempt
      Given the partner does not offer STARTTLS
      When the gateway tries to send a message to the partner until it gives up
      Then the author gets one notification with a null return path

  @RFC5321-02 @must
  Rule: When the gateway gives up on a message without a return path, it notifies nobody

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain
      And the message has no return path

    @control
    Example: a partner that offers STARTTLS from the second attempt on
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Example: a partner that offers STARTTLS at no attempt
      Given the partner does not offer STARTTLS
      When the gateway tries to send a message to the partner until it gives up
      Then nobody gets a notification

  @EXO-FRC-03 @must
  Rule: When the gateway gives up on a message that waited for TLS, the notification gives TLS as the reason

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that requires TLS for the partner's domain

    @control
    Example: a partner that offers STARTTLS from the second attempt on
      Given the partner does not offer STARTTLS on the first connection
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway tries to send a message to the partner until it gives up
      Then the author gets one notification that gives TLS as the reason
      And the wire shows no unencrypted part of the message

      Examples:
        | fault                                |
        | does not offer STARTTLS              |
        | refuses STARTTLS with 454            |
        | ends the TLS handshake with an alert |

  @EXO-OPP-06 @observed
  Rule: If the gateway gives up on a message because each handshake has failed, it notifies the author
    A gateway that sends the message unencrypted after a failed handshake has nothing to give up.

    Background:
      Given the gateway gives up after 3 attempts
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives over TLS

    Example: a partner whose handshake fails on each connection
      Given the partner ends the TLS handshake with an alert
      When the gateway tries to send a message to the partner until it gives up
      Then the message arrives unencrypted, or its author gets one notification
