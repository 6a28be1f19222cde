@sender
Feature: Outbound mail for which TLS is optional
  The gateway tries TLS first and never requires it.

  @EXO-OPP-01 @must
  Rule: Where TLS is optional, the gateway starts TLS with every partner that offers STARTTLS, and sends no MAIL command before TLS

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner that gets five messages at the same time
      Given the gateway has four more messages for the partner
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner with a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

    Example: a partner that takes no unencrypted mail
      Given the partner refuses unencrypted mail with 530
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no MAIL command before TLS

  @EXO-OPP-04 @must
  Rule: Where TLS is optional, the gateway sends to a partner without STARTTLS unencrypted, on the first connection and without delay

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner without STARTTLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives unencrypted
      And the wire shows a single connection
      And the wire shows no delay before the MAIL command

  @EXO-OPP-05 @should
  Rule: Where TLS is optional, the gateway sends the message over TLS whatever the partner's certificate, and no part of the message unencrypted

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner with a valid certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows a single connection

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                      |
        | self-signed               |
        | expired                   |
        | not yet valid             |
        | for another name          |
        | from an unknown authority |

  @EXO-OPP-06 @observed
  Rule: Where TLS is optional, the gateway sends the message unencrypted on a new connection after a failed handshake, or keeps it queued

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner that <fault>
      Given the partner <fault>
      When the gateway sends a message to the partner
      Then the message arrives unencrypted or stays queued
      And the wire shows no command after the failed handshake

      Examples:
        | fault                                                                       |
        | closes the connection instead of a TLS handshake                            |
        | resets the connection during the TLS handshake                              |
        | sends garbage instead of a TLS handshake                                    |
        | ends the TLS handshake with an alert                                        |
        | answers the TLS handshake with an unencrypted reply                         |
        | closes TLS instead of a TLS handshake and goes on unencrypted               |
        | sends garbage instead of a TLS handshake and goes on unencrypted            |
        | ends the TLS handshake with an alert and goes on unencrypted                |
        | answers the TLS handshake with an unencrypted reply and goes on unencrypted |
        | falls silent in the TLS handshake                                           |

  @EXO-OPP-06 @observed
  Rule: Where TLS is optional, the gateway does not lose or duplicate the message after a failed handshake

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner whose handshake succeeds
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives exactly once

    Example: a partner whose handshake fails on the first connection
      Given the partner ends the TLS handshake with an alert on the first connection
      When the gateway tries up to 2 times to send a message to the partner
      Then the message arrives exactly once
