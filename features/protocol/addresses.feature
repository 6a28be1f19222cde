@receiver
Feature: All addresses of a domain

  @BCP-07
  Rule: Every mail exchanger and every address of a domain offers TLS of the same strength

    @control
    Example: a domain with one server
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength

    Example: a domain with two servers
      Given the gateway's domain has another server
      When the lab probes every address of the gateway's domain
      Then every address offers TLS of the same strength
