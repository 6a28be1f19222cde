@sender
Feature: Order of cipher suites

  @EXO-OPP-03
  Rule: Suites are offered in order of strength, and the strongest that both have is used down to the last

    @control
    Example: a partner that takes any suite
      Given no outbound connector for the partner's domain
      And the partner speaks TLS 1.2 at most
      When the gateway sends a message to the partner
      Then the message arrives over TLS 1.2

    Scenario Outline: a partner that has only <suite>
      Given no outbound connector for the partner's domain
      And the partner accepts only the suite <suite>
      When the gateway sends a message to the partner
      Then the message arrives over TLS with <suite>

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

    Scenario Outline: a choice between <stronger> and <weaker>
      Given no outbound connector for the partner's domain
      And the partner lets the sender choose between <weaker> and <stronger>
      When the gateway sends a message to the partner
      Then the message arrives over TLS with <stronger>

      Examples:
        | stronger                              | weaker                                |
        | TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 | TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    |
        | TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA    | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA    |
        | TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA    | TLS_RSA_WITH_AES_256_GCM_SHA384       |
        | TLS_RSA_WITH_AES_256_GCM_SHA384       | TLS_RSA_WITH_AES_128_GCM_SHA256       |
