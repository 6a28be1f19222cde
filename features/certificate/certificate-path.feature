Feature: Certificates below a root that the gateway trusts
  A trusted root makes a certificate acceptable only through a path in which every certificate is in order: signed by the
  next one, valid today, and issued by an authority that may do so.

  @PKIX-01 @must @sender
  Rule: The gateway does not send mail that requires domain validation if any certificate of the partner's path is invalid

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a valid path
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                                 |
        | with a signature that does not fit                   |
        | issued by somebody with the name of the intermediate |
        | issued by an intermediate that has expired           |
        | issued by an intermediate that is not yet valid      |

  @PKIX-01 @must @receiver
  Rule: The gateway refuses mail from a client if any certificate of the client's path is invalid

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client with a valid path
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                                                 |
        | with a signature that does not fit                   |
        | issued by somebody with the name of the intermediate |
        | issued by an intermediate that has expired           |
        | issued by an intermediate that is not yet valid      |

  @PKIX-02 @must @sender
  Rule: The gateway does not send mail that requires domain validation to a partner whose issuer may not issue certificates

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner whose issuer is an authority
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Scenario Outline: a partner with a certificate that is <flaw>
      Given the partner shows a certificate that is <flaw>
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

      Examples:
        | flaw                                                     |
        | issued by a server instead of an authority               |
        | issued by an intermediate that may not sign certificates |
        | issued by one intermediate too many                      |

  @PKIX-02 @must @receiver
  Rule: The gateway refuses a client's certificate whose issuer may not issue certificates

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client whose issuer is an authority
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a client with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message

      Examples:
        | flaw                                                     |
        | issued by a server instead of an authority               |
        | issued by an intermediate that may not sign certificates |
        | issued by one intermediate too many                      |

  @PKIX-03 @must @sender
  Rule: The gateway does not send mail that requires domain validation to a partner whose certificate is for clients only

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner with a certificate for servers
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner with a certificate for clients
      Given the partner shows a certificate that is for the wrong usage
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @PKIX-04 @must @sender
  Rule: If an intermediate may issue certificates for some domains only, the gateway accepts those for these domains and refuses others

    Background:
      Given an outbound connector that requires domain validation for the partner's domain

    @control
    Example: a partner whose intermediate may issue for all domains
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner whose intermediate may issue for the partner's domain only
      Given the partner shows a certificate that is issued by an intermediate for the partner's domain only
      When the gateway sends a message to the partner
      Then the message arrives over TLS

    Example: a partner whose certificate has the right name, but whose intermediate may issue for other domains only
      Given the partner shows a certificate that is issued by an intermediate for other domains only
      When the gateway sends a message to the partner
      Then the message stays queued
      And the wire shows no unencrypted part of the message

  @PKIX-04 @must @receiver
  Rule: The gateway refuses mail from a client whose intermediate may issue certificates for other domains only

    Background:
      Given an inbound connector that requires a certificate with the client's name

    @control
    Example: a client whose intermediate may issue for all domains
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message

    Example: a client whose certificate has the right name, but whose intermediate may issue for other domains only
      Given the client shows a certificate that is issued by an intermediate for other domains only
      When the client delivers a message
      Then the gateway refuses the message
