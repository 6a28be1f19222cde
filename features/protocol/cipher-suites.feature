@sender
Feature: Cipher suites of TLS 1.2

  @EXO-OPP-03 @must
  Rule: Of the cipher suites that both the gateway and the partner support, the gateway uses the strongest one
    Which suites the gateway offers is its own choice. Which of them counts as stronger is not: the examples go from the
    strongest suite to the weakest one, in the order that the catalogue gives. All examples use TLS 1.2, because TLS 1.3
    has other suites. An example with one suite says nothing of a gateway that does not offer this suite.

    Background:
      Given an outbound connector that uses opportunistic TLS for the partner's domain

    @control
    Example: a partner that accepts any suite
      Given the partner supports TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Scenario Outline: a partner that accepts only <suite>
      Given the partner accepts only the suite <suite>
      When the gateway sends a message to the partner
      Then the message arrives over TLS with <suite>, if the gateway offers this suite

      Examples:
        | suite                                 |
        | TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 |
        | TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA    |
        | TLS_RSA_WITH_AES_256_GCM_SHA384       |
        | TLS_RSA_WITH_AES_128_GCM_SHA256       |

    Scenario Outline: a partner that lets the gateway choose between <weaker> and <stronger>
      Given the partner lets the gateway choose between <weaker> and <stronger>
      When the gateway sends a message to the partner
      Then the message arrives over TLS with <stronger>, or with <weaker> if the gateway does not offer the stronger suite

      Examples:
        | stronger                              | weaker                                |
        | TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 | TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA    |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA    | TLS_RSA_WITH_AES_256_GCM_SHA384       |
        | TLS_RSA_WITH_AES_256_GCM_SHA384       | TLS_RSA_WITH_AES_128_GCM_SHA256       |
