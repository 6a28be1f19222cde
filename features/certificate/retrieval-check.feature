@sender
Feature: The check that an administrator makes on the mail host
  Before a change, an administrator fetches the list of the authority by hand. The check has to find what the gateway will
  find: a list that is not complete, current and signed by the issuer is none.

  @EXO-REV-04 @must
  Rule: The gateway sends the message only if the check finds a complete, current and rightly signed list

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a list and no responder

    @control
    Example: a good list
      Given the authority of the partner has a list without the certificate
      When the gateway sends a message to the partner
      Then the gateway sends the message only if the check finds the status of the certificate
      And the message arrives over TLS

    Scenario Outline: an authority that <does>
      Given the authority of the partner <does>
      When the gateway sends a message to the partner
      Then the gateway sends the message only if the check finds the status of the certificate
      And the message stays queued

      Examples:
        | does                                                      |
        | has a list that has expired                               |
        | has a list with a signature that does not fit             |
        | has an empty list file                                    |
        | cannot be reached: a proxy answers with a page of its own |

  @EXO-REV-05 @should
  Rule: The gateway's reason why the message waits names the same cause as the check

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a list and no responder

    @control
    Example: a good list
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: an authority that <does>
      Given the authority of the partner <does>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the gateway names the cause that the check finds: <cause>

      Examples:
        | does                                                             | cause           |
        | cannot be reached: the names are not found                       | name resolution |
        | cannot be reached: connections are refused                       | refused         |
        | cannot be reached: connections are dropped                       | filtered        |
        | has its list behind https, with a certificate that nobody trusts | TLS             |
        | has nothing at its addresses                                     | HTTP status     |
        | cannot be reached: a proxy answers with a page of its own        | wrong content   |
        | has a list with a signature that does not fit                    | wrong signature |
        | has a list that has expired                                      | expired         |

  @EXO-REV-06 @should
  Rule: The gateway uses a list behind https, but not if only this list tells the status of the https host's certificate

    Background:
      Given the gateway asks authorities for the status of certificates
      And the gateway requires the status of certificates
      And an outbound connector that requires domain validation for the partner's domain
      And the authority of the partner has a list and no responder

    @control
    Example: a list behind http
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway sends the message only if the check finds the status of the certificate

    Example: a list behind https
      Given the authority of the partner has its list behind https
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the gateway sends the message only if the check finds the status of the certificate

    Example: a list behind https, with a certificate that is in this list
      Given the authority of the partner has its list behind https, with a certificate that is in this list
      When the gateway sends a message to the partner
      Then the gateway sends the message only if the check finds the status of the certificate
      And the message stays queued
      And the gateway asks the authority only a few times
