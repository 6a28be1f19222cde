@receiver
Feature: Every address of the gateway's domain

  @BCP-07 @should
  Rule: The gateway's domain offers TLS of the same strength at every mail exchanger and every address

    @control
    Example: a domain with one server
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength

    Example: a domain with two servers
      Given the gateway's domain has another server
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength
