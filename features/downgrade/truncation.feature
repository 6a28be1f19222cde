Feature: A TLS connection that is cut

  @DGR-05
  Rule: A message that is cut short is not accepted, and its sender sends it again

    @control @sender @retry
    Example: nothing is cut on the way out
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway tries up to 2 times to send a large message to the partner
      Then the message arrives over TLS
      And it arrives exactly once and complete

    @sender @retry
    Example: cut on the way out
      Given an outbound connector that requires TLS for the partner's domain
      And the partner cuts the connection in the middle of the message on the first connection
      When the gateway tries up to 2 times to send a large message to the partner
      Then the message arrives over TLS
      And it arrives exactly once and complete

    @receiver
    Example: cut on the way in
      Given no inbound connector for the sender's domain
      And the sender cuts the connection in the middle of the message
      When the sender delivers a message
      Then it does not reach the mailbox
