Feature: A TLS connection that is cut

  @DGR-05 @sender @retry
  Rule: A message that is cut short is sent again, and arrives whole

    @control
    Example: nothing is cut on the way out
      Given an outbound connector that requires TLS for the partner's domain
      And the partner offers STARTTLS
      When the gateway tries up to 2 times to send a large message to the partner
      Then the message arrives over TLS
      And it arrives exactly once and complete

    Example: cut on the way out
      Given an outbound connector that requires TLS for the partner's domain
      And the partner cuts the connection in the middle of the message on the first connection
      When the gateway tries up to 2 times to send a large message to the partner
      Then the message arrives over TLS
      And it arrives exactly once and complete

  @DGR-05 @receiver
  Rule: A message that is cut short on its way in is not accepted

    @control
    Example: nothing is cut on the way in
      Given no inbound connector for the sender's domain
      And the sender uses TLS
      When the sender delivers a message
      Then the gateway accepts the message
      And it reaches the mailbox

    Example: cut on the way in
      Given no inbound connector for the sender's domain
      And the sender cuts the connection in the middle of the message
      When the sender delivers a message
      Then it does not reach the mailbox
