@pair
Feature: Mail between two servers of one service

  @EXO-S2S-01 @sender
  Rule: Every connection between servers of the service is encrypted, whatever it carries

    @control
    Example: a message to a server of the same kind
      Given a gateway that belongs to a service
      And the partner is a second server of the same kind
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And nothing of it crossed the wire in clear
