Feature: The chain up to the root
  The root is what the other side has. Everything between the root and the certificate has to come with the certificate:
  a sender that finds the rest somewhere, or remembers it, hides the gap from whoever forgot to send it.

  @PKIX-06
  Rule: A server sends its whole chain, and validated mail waits for it, whatever was seen before

    @control @sender @domain-validation
    Example: a partner with its whole chain
      Given an outbound connector that requires domain validation
      And the partner offers STARTTLS
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    @sender @domain-validation
    Example: a partner that leaves its intermediate out
      Given an outbound connector that requires domain validation
      And the partner leaves its intermediate out
      When the gateway sends a message to the partner
      Then the message stays queued
      And nothing of it crossed the wire in clear

    @sender @domain-validation
    Example: a partner whose intermediate was seen a moment ago
      Given an outbound connector that requires domain validation
      And the partner leaves its intermediate out after the first connection
      When the gateway sends two messages to the partner, one after the other
      Then the later message stays queued

    @receiver
    Example: the gateway's own chain
      Given a gateway as it is
      When a sender greets the gateway inside TLS
      Then its chain leads to a root that the sender trusts
