@receiver
Feature: The cipher suites that a profile lists
  The lab finds out once in a run what the gateway accepts, with a connection for each question.
  Each profile with such a list that the run names is judged. Suites of the list that the gateway lacks do not count.

  @EXO-CIP-01 @must
  Rule: In TLS 1.2 the gateway chooses by the order in the profile's list, not by the order in the client's offer

    @control
    Example: a client that offers TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers the list from its last suite to its first
      Given the client offers the suites of the profile in the opposite order
      When the lab probes the TLS of the gateway
      Then the gateway chooses by the order of the profile

  @EXO-CIP-02 @must
  Rule: In TLS 1.2 the gateway accepts no suite that is not in the list of the profile

    @control
    Example: a client that offers TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client that offers all suites
      Given the client offers all suites of TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts no suite that the profile does not list

    Scenario Outline: a client with <suites>
      Given the client offers only <suites>
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers

      Examples:
        | suites                        |
        | suites that encrypt nothing   |
        | suites without authentication |
        | suites with RC4               |
        | suites of export strength     |
        | suites with DES or RC2        |

  @EXO-VER-08 @must
  Rule: The gateway refuses suites with 3DES

    @control
    Example: a client that offers TLS 1.2
      Given the client offers only TLS 1.2
      When the lab probes the TLS of the gateway
      Then the gateway accepts what the client offers

    Example: a client with only suites with 3DES
      Given the client offers only suites with 3DES
      When the lab probes the TLS of the gateway
      Then the gateway refuses what the client offers
