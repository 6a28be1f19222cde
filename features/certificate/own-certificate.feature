@receiver
Feature: The certificate that the gateway shows
  A client with opportunistic TLS takes any certificate, so nobody notices a bad one until a client validates it.

  @PKIX-07 @should
  Rule: The gateway shows a certificate that is within its dates and is for the gateway's own name

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway's certificate is within its dates
      And the gateway's certificate is for the gateway's own name

  @PKIX-07 @should
  Rule: The gateway shows a certificate for servers, with a strong key and a strong signature

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway's certificate is fit for a server

  @PKIX-08 @must
  Rule: The gateway shows a certificate that a client with a policy for the gateway's domain (MTA-STS) accepts

    @control
    Example: a client that starts TLS
      When the client starts TLS
      Then the gateway's certificate is within its dates
      And the gateway's certificate is for the gateway's own name
