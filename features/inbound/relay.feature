@receiver
Feature: A server of the own organisation that relays through the gateway
  To the gateway, an on-premises server is a client. Anybody can write the organisation's domain into a sender's address, so
  that only a certificate tells this client from others.

  @EXO-HYB-01 @must
  Rule: The gateway relays mail of its own domain for a server with the expected certificate, and for no server without it

    Background:
      Given a server of the gateway's own organisation, which may relay because of its certificate

    @control
    Example: a server with the expected certificate
      Given the client shows a valid certificate
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Example: a server without a certificate
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

    Scenario Outline: a server with a certificate that is <flaw>
      Given the client shows a certificate that is <flaw>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | flaw                      |
        | self-signed               |
        | from an unknown authority |
        | expired                   |

  @EXO-HYB-02 @must
  Rule: The gateway no longer relays for a server whose certificate was renewed under another name

    Background:
      Given a server of the gateway's own organisation, which may relay because of its certificate

    @control
    Example: a server with the expected name
      Given the client shows a certificate for onpremises.gateway.test
      When the client delivers a message
      Then the gateway accepts the message

    Scenario Outline: a server with a certificate for <name>
      Given the client shows a certificate for <name>
      When the client delivers a message
      Then the gateway refuses the message
      And the message does not reach the mailbox

      Examples:
        | name                               |
        | renewed.gateway.test               |
        | onpremises.gateway.test.other.test |

  @EXO-HYB-02 @must
  Rule: When the administrator has changed the expected name, the gateway relays for a server with the new name and not with the old one

    Background:
      Given a server of the gateway's own organisation, which may relay because of its certificate
      And the gateway expects the new name in the certificate of this server

    @control
    Example: the server with its new certificate
      Given the client shows a certificate for renewed.gateway.test
      When the client delivers a message
      Then the gateway accepts the message
      And the message reaches the mailbox

    Example: a server with the old certificate
      Given the client shows a certificate for onpremises.gateway.test
      When the client delivers a message
      Then the gateway refuses the message
