Feature: An on-premises server and the cloud of the same organisation
  Both require TLS of each other, with a certificate that an authority has issued whom both sides trust. To the gateway, the
  cloud is a partner where it sends mail, and a client where it receives mail.

  @EXO-HYB-03 @must @receiver
  Rule: The gateway refuses mail of the cloud if the cloud's certificate is self-signed, although it has the right name

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a certificate from an authority
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a self-signed certificate
      Given the client shows a certificate that is self-signed
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

  @EXO-HYB-03 @must @sender
  Rule: The gateway keeps mail for the cloud queued if the cloud's certificate is self-signed, although it has the right name

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a certificate from an authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a self-signed certificate
      Given the partner shows a certificate that is self-signed
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-HYB-06 @must @sender
  Rule: The gateway sends mail to the cloud only over TLS, and only if the cloud's certificate has the name that the connector gives

    Background:
      Given an outbound connector that expects a certificate for mail.partner.test

    @control
    Example: the right name
      Given the partner shows a certificate for mail.partner.test
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: another name
      Given the partner shows a certificate for other.test
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

    Example: no TLS
      Given the partner does not offer STARTTLS
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @EXO-HYB-04 @must @sender
  Rule: If one of several servers behind the cloud's name shows a wrong certificate, the gateway sends mail only to the others

    Background:
      Given an outbound connector that requires domain validation for the partner's domain
      And the gateway has nineteen more messages for the partner

    @control
    Example: two servers with equal certificates
      Given the servers behind the name of the partner's mail exchanger
        | offers STARTTLS |
        | offers STARTTLS |
      When the gateway sends a message to the partner
      Then every message arrives over TLS

    Example: one of the two has a certificate for another name
      Given the servers behind the name of the partner's mail exchanger
        | shows a certificate that is for another name |
        | offers STARTTLS                              |
      When the gateway sends a message to the partner
      Then every message arrives over TLS at a server with the right certificate, or stays queued

    Example: one of the two has a self-signed certificate
      Given the servers behind the name of the partner's mail exchanger
        | shows a certificate that is self-signed |
        | offers STARTTLS                         |
      When the gateway sends a message to the partner
      Then every message arrives over TLS at a server with the right certificate, or stays queued

  @EXO-HYB-04 @must @receiver
  Rule: All servers of the gateway's domain show certificates with the same subject and issuer

    @control
    Example: a domain with one server
      When the lab probes every address of the gateway's domain
      Then every address shows a certificate of the same subject and issuer

    Example: a domain with two servers
      Given the gateway's domain has another server
      When the lab probes every address of the gateway's domain
      Then every address shows a certificate of the same subject and issuer
