import type { Mail } from '../evidence/mail.ts'
import { pathTo } from '../mailflow/domains.ts'
import { conversation, handover, IN_CLEAR, MESSAGE, OVER_TLS, table } from '../test-bed/fixtures/evidence.ts'
import { isTrueOf, ownReceivedLineIsTrue, receivedLineIsTrue, receivedLineTraces } from './received-lines.ts'

const overTls = conversation(OVER_TLS, { gatewayIs: 'receiver' })
const unencrypted = conversation(IN_CLEAR, { gatewayIs: 'receiver' })
const tls12 = conversation(OVER_TLS, {
  handshake: { version: 'TLSv1.2', suite: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384' },
})
const BEGUN = OVER_TLS.slice(0, 7)
const noAlert = conversation([...BEGUN, '<-- {close}'])

const mail = (content = MESSAGE.content): Mail => ({ content, from: MESSAGE.from, to: MESSAGE.to })

describe('judging the Received line that the gateway adds', () => {
  const LINE =
    'from client by mx.gateway.test with ESMTPS id 1 (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384)'
  const said = (line: string, hop = overTls) => isTrueOf(line, hop)
  const grouped = { ...overTls, handshake: { ...overTls.handshake, group: 'X25519' } }
  table([
    [
      'it says TLS, version and suite, as the wire',
      said(LINE),
      'kept',
      /says ESMTPS and TLS 1\.3, as the wire/,
    ],
    ['it says TLS alone', said('by mx with ESMTPSA'), 'kept', /says ESMTPSA, as the wire/],
    ['it says UTF8SMTPS', said('by mx with UTF8SMTPS'), 'kept'],
    [
      'it says no TLS where there was some',
      said('by mx with ESMTP'),
      'broken',
      /came over TLS, but .* says ESMTP/,
    ],
    ['it says SMTP where there was TLS', said('by mx with SMTP'), 'broken', /says SMTP/],
    ['it says ESMTPA where there was TLS', said('by mx with ESMTPA'), 'broken', /says ESMTPA/],
    ['it says nothing where there was TLS', said('by mx id 1'), 'broken', /says nothing/],
    [
      'it says TLS where there was none',
      said('by mx with ESMTPS', unencrypted),
      'broken',
      /came unencrypted, but .* says ESMTPS/,
    ],
    [
      'it names TLS where there was none',
      said('by mx with ESMTP (TLS 1.3)', unencrypted),
      'broken',
      /names TLS/,
    ],
    ['it says no TLS where there was none', said('by mx with ESMTP', unencrypted), 'kept'],
    ['it says SMTP where there was no TLS', said('by mx with SMTP', unencrypted), 'kept'],
    [
      'it says another version',
      said('by mx with ESMTPS (TLSv1.2)'),
      'broken',
      /wire had TLS 1\.3, the Received line says TLS 1\.2/,
    ],
    [
      'it says the group as OpenSSL does',
      said('by mx with ESMTPS (key-exchange x25519 server-signature RSA-PSS)', grouped),
      'kept',
    ],
    [
      'it says another group',
      said('by mx with ESMTPS (key-exchange ECDHE (P-256) server-signature RSA-PSS)', grouped),
      'broken',
      /wire had X25519, the Received line says P-256/,
    ],
    ['it says TLS 1 and there was 1.3', said('by mx with ESMTPS (TLS1)'), 'broken', /says TLS 1\.0/],
    [
      'it says another suite',
      said('by mx with ESMTPS (TLS_AES_128_GCM_SHA256)'),
      'broken',
      /Received line says TLS_AES_128/,
    ],
    [
      "it says the suite in OpenSSL's name",
      said('by mx with ESMTPS (ECDHE-RSA-AES256-GCM-SHA384)', tls12),
      'kept',
    ],
  ])

  const received = (...lines: string[]) =>
    mail([...lines.map(line => `Received: ${line}`), MESSAGE.content].join('\r\n'))
  const forged = { ...MESSAGE, content: `Received: with ESMTPS\r\n${MESSAGE.content}` }
  table([
    [
      'the lowest of several lines is the one about the client',
      receivedLineIsTrue(handover(), received('with LMTP', LINE)),
      'kept',
    ],
    [
      'a line that came with the message counts for nothing',
      receivedLineIsTrue(handover({ message: forged }), received('with ESMTP', 'with ESMTPS')),
      'broken',
      /says ESMTP/,
    ],
    [
      'the last of several connections is the one',
      receivedLineIsTrue(handover({ conversations: [noAlert, overTls] }), received(LINE)),
      'kept',
    ],
    ['there is no line', receivedLineIsTrue(handover(), mail()), 'broken', /added no Received line/],
    [
      'the message is not in the mailbox',
      receivedLineIsTrue(handover(), undefined),
      'unclear',
      /not in the mailbox/,
    ],
  ])

  const traced = (line: string) => receivedLineTraces(handover(), received(line))
  const DATE = 'Tue, 24 Nov 2026 12:00:00 +0000'
  table([
    [
      'it says from whom and when',
      traced(`from client ([192.0.2.1]) by mx with ESMTPS (TLS_OTHER); ${DATE} (UTC)`),
      'kept',
      /came: client, Tue/,
    ],
    ['it does not say from whom', traced(`by mx with ESMTPS; ${DATE}`), 'broken', /from whom/],
    ['it does not say when', traced('from client by mx with ESMTPS'), 'broken', /when/],
    [
      'it does not say that it was over TLS',
      traced(`from client by mx with ESMTP; ${DATE}`),
      'broken',
      /over TLS/,
    ],
    ['it has something else for a time', traced('from client by mx with ESMTPS; soon'), 'broken', /when/],
    ['the message is not in the mailbox', receivedLineTraces(handover(), undefined), 'unclear'],
  ])

  const flow = { hostname: 'mx.gateway.test', domain: 'gateway.test' }
  const own = (content: string | undefined, hop: typeof overTls | undefined = overTls) =>
    ownReceivedLineIsTrue(content, flow, hop)
  table([
    [
      "among another server's lines",
      own(received('by other.test with ESMTP', LINE, 'by third.test with ESMTP').content),
      'kept',
    ],
    ['under the name of the tap', own(received(`by ${pathTo('gateway.test')} with ESMTPS`).content), 'kept'],
    ['the lowest of its own', own(received('by mx.gateway.test with LMTP', LINE).content), 'kept'],
    ['it is not true', own(received('by mx.gateway.test with ESMTP').content), 'broken', /says ESMTP/],
    ['it has none', own(received('by other.test with ESMTPS').content), 'broken', /added no Received line/],
    ['the message is not in the mailbox', own(undefined), 'unclear'],
    ['the hop was not seen', ownReceivedLineIsTrue(LINE, flow, undefined), 'unclear'],
  ])
})
