@sender
Feature: Which hosts of an authority a firewall has to allow
  The certificate names three hosts: that of the list, that of the responder, and that of the issuer's certificate. The
  firewall allows some of them and refuses connections to the others.

  @EXO-REV-03 @must
  Rule: The gateway learns the status where the firewall lets it reach the list or the responder

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner tells the status of its certificate

    @control
    Example: all three hosts
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: enough of the hosts, <hosts>
      Given the authority of the partner can be reached at <hosts> only
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | hosts                        |
        | the list                     |
        | the responder                |
        | the list and the responder   |
        | the list and the issuer      |
        | the responder and the issuer |

    Scenario Outline: too few of the hosts, <hosts>
      Given the authority of the partner can be reached at <hosts> only
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | hosts             |
        | none of its hosts |
        | the issuer        |

  @EXO-REV-03 @must
  Rule: The gateway needs the host of the issuer's certificate too where the partner leaves out its intermediate

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the partner leaves out its intermediate certificate
      And the authority of the partner tells the status of its certificate

    @control
    Example: all three hosts
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: enough of the hosts, <hosts>
      Given the authority of the partner can be reached at <hosts> only
      When the gateway sends a message to the partner
      Then the message arrives over TLS

      Examples:
        | hosts                        |
        | the list and the issuer      |
        | the responder and the issuer |

    Scenario Outline: too few of the hosts, <hosts>
      Given the authority of the partner can be reached at <hosts> only
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | hosts                      |
        | none of its hosts          |
        | the list                   |
        | the responder              |
        | the issuer                 |
        | the list and the responder |
