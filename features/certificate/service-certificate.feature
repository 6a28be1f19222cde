Feature: The certificate of the mail service
  The service publishes the attributes of its certificate, so that partners can recognise it. These Rules judge a gateway
  that stands in for the service, and are inapplicable for any other. The suite compares the certificate that the gateway
  shows with the published attributes, as a partner would. In some examples the suite gives the gateway another certificate
  to show: then the gateway has to show it, and the comparison has to find what is different. The root is one of the lab,
  with the name of the published root.

  @EXO-CRT-01 @observed @receiver
  Rule: The chain of the gateway's certificate leads to the published root, compared by fingerprint and not by name

    Background:
      Given the gateway stands in for the service

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has the published root in its certificate

    Example: a root that only bears the published name
      Given the gateway shows a certificate with another root
      When the client starts TLS
      Then the gateway has a certificate that differs from the published one only in the root

  @EXO-CRT-02 @must @receiver
  Rule: The gateway's certificate has the published name among its alternative names

    Background:
      Given the gateway stands in for the service

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has the published name in its certificate
      And the gateway's certificate is for the gateway's own name

    Example: a client that names no server
      Given the client names no server in its ClientHello
      When the client starts TLS
      Then the gateway has the published name in its certificate

  @EXO-CRT-02 @must @sender
  Rule: The gateway also shows a certificate for the published name when it is the client of a partner

    Background:
      Given the gateway stands in for the service
      And an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that asks for a certificate
      Given the partner asks for a client certificate
      When the gateway sends a message to the partner
      Then the message arrives over TLS
      And the wire shows the published name in the certificate of the gateway

  @EXO-CRT-03 @observed @receiver
  Rule: The organisation in the gateway's certificate is the published one, before and after a change of the authority

    Background:
      Given the gateway stands in for the service

    @control
    Example: the present certificate, after a change of the authority
      When the client starts TLS
      Then the gateway has the published organisation in its certificate

    Example: the former certificate, before the change
      Given the gateway shows the former certificate of the service
      When the client starts TLS
      Then the gateway has the former organisation in its certificate

  @EXO-CRT-04 @observed @receiver
  Rule: The gateway's certificate has the published organisational unit, or no unit if none is published

    Background:
      Given the gateway stands in for the service

    @control
    Example: the present certificate, after a change of the authority
      When the client starts TLS
      Then the gateway has the published unit in its certificate

    Example: the former certificate, before the change
      Given the gateway shows the former certificate of the service
      When the client starts TLS
      Then the gateway has the former unit in its certificate

  @EXO-CRT-06 @observed @receiver
  Rule: A comparison with the former attributes recognises the former certificate of the gateway, and not the present one

    Background:
      Given the gateway stands in for the service

    @control
    Example: the present certificate
      When the client starts TLS
      Then the gateway has all published attributes in its certificate
      And the gateway has a certificate that differs from the former one

    Example: the former certificate
      Given the gateway shows the former certificate of the service
      When the client starts TLS
      Then the gateway has a certificate with all attributes of the former one
      And the gateway has a certificate that differs from the published one

  @EXO-CRT-08 @must @receiver
  Rule: A comparison with the published attributes recognises the gateway's certificate, and finds the one attribute in which another differs

    Background:
      Given the gateway stands in for the service

    @control
    Example: the published certificate
      When the client starts TLS
      Then the gateway has all published attributes in its certificate

    Scenario Outline: a certificate with another <attribute>
      Given the gateway shows a certificate with another <attribute>
      When the client starts TLS
      Then the gateway has a certificate that differs from the published one only in the <attribute>

      Examples:
        | attribute    |
        | root         |
        | name         |
        | organisation |
        | unit         |
        | key          |

  @EXO-CRT-09 @observed @receiver
  Rule: The gateway's certificate has the attributes that the service publishes today, and differs from the former certificate

    Background:
      Given the gateway stands in for the service of today

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has all published attributes in its certificate
      And the gateway has a certificate that differs from the former one

  @EXO-CRT-10 @must @receiver
  Rule: The gateway shows one certificate for the mail exchangers of all customers, whether or not the client names a server
    The mail exchanger of a customer of the service is one label below mail.protection.outlook.com.

    Background:
      Given the gateway stands in for the service of today

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has a certificate for the mail exchangers of all customers, and for no name a label deeper

    Example: a client that names no server
      Given the client names no server in its ClientHello
      When the client starts TLS
      Then the gateway has a certificate for the mail exchangers of all customers, and for no name a label deeper
