@receiver
Feature: The strength and the options of the TLS that the gateway accepts
  The lab finds out once in a run what the gateway accepts, with a connection for each question.

  @BCP-04 @must
  Rule: The gateway shows no key, and accepts no group and no signature, with less than 112 bits of strength

    @control
    Example: a client that offers TLS 1.2 with all groups and signature algorithms
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers
      And the gateway shows certificates with a strong key and signature

    Scenario Outline: a client with <weakness>
      Given the client offers only <weakness>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers

      Examples:
        | weakness                             |
        | finite fields of less than 2048 bits |
        | curves of less than 224 bits         |
        | signatures with SHA-1 or MD5         |

  @BCP-05 @must
  Rule: The gateway accepts no dangerous option of TLS, and accepts those that protect

    @control
    Example: a client that offers secure renegotiation
      Given the client offers secure renegotiation
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers the extended master secret
      Given the client offers the extended master secret
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Scenario Outline: a client that offers <option>
      Given the client offers <option>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers

      Examples:
        | option          |
        | TLS compression |
        | truncated HMAC  |
        | early data      |

  @ID-05 @must
  Rule: The gateway serves a client whatever server name the client asks for in its ClientHello

    @control
    Example: a client that asks for the right name
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Scenario Outline: a client with <name>
      Given the client offers <name>
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

      Examples:
        | name                   |
        | no server name         |
        | an unknown server name |
        | an odd server name     |
