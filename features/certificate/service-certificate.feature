Feature: The certificate of the mail service
  The documents of the service publish the attributes of its certificate, so that partners can recognise it. These Rules
  apply to a gateway that stands in for the service as one of these texts describes it. Its root is one of the lab with the
  name of the published one.

  @EXO-CRT-01 @observed @receiver
  Rule: The chain of the gateway's certificate leads to the root that the text names, by its fingerprint

    Background:
      Given the gateway stands in for the service

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has the published root in its certificate

    Example: a root that only bears the published name
      Given the gateway shows a certificate with another root
      When the client starts TLS
      Then the gateway differs from the published certificate in the root alone

  @EXO-CRT-02 @must @receiver
  Rule: The gateway's certificate is for the name that the text publishes, among its alternative names

    Background:
      Given the gateway stands in for the service

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has the published name in its certificate
      And the gateway's certificate is for the gateway's own name

    Example: a client that names no server
      Given the client names no server in its hello
      When the client starts TLS
      Then the gateway has the published name in its certificate

  @EXO-CRT-02 @must @sender
  Rule: As a client the gateway shows a certificate for the name that the text publishes

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
  Rule: The organisation in the gateway's certificate is the same before and after a change of the authority

    Background:
      Given the gateway stands in for the service

    @control
    Example: after the change
      When the client starts TLS
      Then the gateway has the published organisation in its certificate

    Example: before the change
      Given the gateway still shows the certificate that the service had before
      When the client starts TLS
      Then the gateway has the former organisation in its certificate

  @EXO-CRT-04 @observed @receiver
  Rule: The gateway's certificate has the unit that the text publishes, and none where the text has none

    Background:
      Given the gateway stands in for the service

    @control
    Example: after the change of the authority
      When the client starts TLS
      Then the gateway has the published unit in its certificate

    Example: before the change
      Given the gateway still shows the certificate that the service had before
      When the client starts TLS
      Then the gateway has the former unit in its certificate

  @EXO-CRT-06 @observed @receiver
  Rule: Who knows the former attributes recognises the former certificate, and does not take it for the present one

    Background:
      Given the gateway stands in for the service

    @control
    Example: the present certificate
      When the client starts TLS
      Then the gateway has all published attributes in its certificate
      And the gateway is not recognised by the attributes of the former certificate

    Example: the former certificate
      Given the gateway still shows the certificate that the service had before
      When the client starts TLS
      Then the gateway is recognised by the attributes of the former certificate
      And the gateway is not recognised by the published attributes

  @EXO-CRT-08 @must @receiver
  Rule: Who knows the published attributes alone accepts the gateway, and refuses one that differs in any of them

    Background:
      Given the gateway stands in for the service

    @control
    Example: the published certificate
      When the client starts TLS
      Then the gateway has all published attributes in its certificate

    Scenario Outline: a certificate with another <attribute>
      Given the gateway shows a certificate with another <attribute>
      When the client starts TLS
      Then the gateway differs from the published certificate in the <attribute> alone

      Examples:
        | attribute    |
        | root         |
        | name         |
        | organisation |
        | unit         |
        | key          |

  @EXO-CRT-09 @observed @receiver
  Rule: The gateway has the attributes of the later table, and not those of the table before it

    Background:
      Given the gateway stands in for the service of today

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has all published attributes in its certificate
      And the gateway is not recognised by the attributes of the former certificate

  @EXO-CRT-10 @must @receiver
  Rule: One certificate is for the mail exchangers of all customers, whether or not the client names a server
    The mail exchanger of a customer of the service is one label below mail.protection.outlook.com.

    Background:
      Given the gateway stands in for the service of today

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway has a certificate for the mail exchangers of all customers, and for no name a label deeper

    Example: a client that names no server
      Given the client names no server in its hello
      When the client starts TLS
      Then the gateway has a certificate for the mail exchangers of all customers, and for no name a label deeper
