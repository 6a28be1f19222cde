@receiver
Feature: All addresses of a domain

  @BCP-07
  Rule: Every mail exchanger and every address of a domain offers TLS of the same strength

    @control
    Example: a domain with one server
      Given a gateway as it is
      When every address of the gateway's domain is probed
      Then all of them offer TLS of the same strength

    @pair
    Example: a domain with two servers
      Given the gateway's domain has another server
      When every address of the gateway's domain is probed
      Then all of them offer TLS of the same strength
