import { onlyWhere } from '../decisions/defect.ts'
import type { ConnectionSituation } from '../decisions/sender.ts'
import type { Mutant } from './mutant.ts'
import { isAmongOwnServers, isFromServer } from './shared.ts'

const ADDED = 'This message was protected by TLS.\r\n'
const DATED = 'Date: Tue, 24 Nov 2026 00:00:00 +0000'
const END_TO_END = 'X-Protection: encrypted end to end\r\n'

const envelope = ({ sender, recipients }: ConnectionSituation): string[] => [
  `MAIL FROM:<${sender}>`,
  ...recipients.map(recipient => `RCPT TO:<${recipient}>`),
]

/** An enveloped message as plain text that says nothing; RFC 8551 s3.3. */
function withoutSmime(content: string): string {
  if (!/^Content-Type: application\/pkcs7-mime/im.test(content)) return content
  const head = content
    .slice(0, content.indexOf('\r\n\r\n'))
    .replace(/^Content-(Type|Transfer-Encoding):.*\r\n?/gim, '')
  return `${head.trimEnd()}\r\n\r\nThe message could not be decrypted.\r\n`
}

export const MESSAGE: readonly Mutant[] = [
  {
    name: 'sends MAIL and RCPT before the handshake',
    requirement: 'EXO-MSG-01',
    sender: { commandsBeforeStarttls: envelope },
    symptom: /(MAIL|RCPT) crossed the wire unencrypted/,
    explains: ['EXO-FRC-01', 'EXO-OPP-04'],
  },
  {
    name: 'sends the subject in clear on another connection',
    requirement: 'EXO-MSG-01',
    sender: {
      commandsBeside: ({ tls, content }) => (tls ? [`NOOP ${/^Subject: (.*)$/m.exec(content)?.[1]}`] : []),
    },
    symptom: 'crossed the wire unencrypted',
    explains: ['EXO-FRC-01', 'EXO-OPP-04'],
  },
  {
    name: 'holds mail that came over TLS while the partner has no TLS',
    requirement: 'EXO-MSG-02',
    sender: { mayGoInClear: ({ receivedOverTls }, correct) => correct && !receivedOverTls },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'labels the next hop as encrypted',
    requirement: 'EXO-MSG-02',
    words: {
      headers: ({ received }, correct) => [
        received.replace(/\tby (.*) with \w+/, '\tby out.$1 with ESMTPS'),
        ...correct,
      ],
    },
    symptom: 'Received lines claim TLS',
  },
  {
    name: 'hides from its own servers only that the first hop was encrypted',
    requirement: 'EXO-MSG-02',
    words: onlyWhere(isAmongOwnServers, { receivedTls: () => undefined }),
    symptom: 'reference to reference: the message came over TLS, but its Received line says ESMTP',
  },
  {
    name: 'forwards mail in clear that came over TLS',
    requirement: 'EXO-MSG-03',
    sender: { usesTls: ({ receivedOverTls, level }) => !receivedOverTls || level !== 'opportunistic' },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'uses no TLS towards its own servers only',
    requirement: 'EXO-MSG-03',
    sender: onlyWhere(isAmongOwnServers, { usesTls: ({ level }) => level !== 'opportunistic' }),
    symptom: 'reference to reference: the message arrived unencrypted',
  },
  {
    name: 'adds to the text of mail that came over TLS',
    requirement: 'EXO-MSG-04',
    receiver: { stored: ({ tls }, correct) => (tls && correct !== undefined ? correct + ADDED : correct) },
    symptom: 'is not the one that was sent',
  },
  {
    name: 'removes the S/MIME encryption',
    requirement: 'EXO-MSG-05',
    sender: { contentToSend: ({ content }) => withoutSmime(content) },
    symptom: 'cannot decrypt the message any more',
  },
  {
    name: 'calls the message encrypted end to end in a header',
    requirement: 'EXO-MSG-06',
    words: { headers: (_, correct) => [...correct, END_TO_END] },
    symptom: 'claims protection from end to end',
  },
  {
    name: 'calls the message encrypted end to end in its log',
    requirement: 'EXO-MSG-06',
    words: {
      session: ({ tls }, correct) => (tls ? { ...correct, remark: 'is encrypted end to end' } : correct),
    },
    symptom: 'the log claims protection from end to end',
  },
  {
    name: 'claims towards its own servers only that the message is encrypted end to end',
    requirement: 'EXO-MSG-06',
    words: onlyWhere(isAmongOwnServers, { headers: (_, correct) => [...correct, END_TO_END] }),
    symptom: 'reference to reference: the header x-protection claims protection from end to end',
  },
  {
    name: 'sends MAIL and RCPT behind STARTTLS without waiting',
    requirement: 'EXO-MSG-01',
    sender: { commandsBehindStarttls: envelope },
    symptom: 'crossed the wire unencrypted, behind STARTTLS',
    explains: ['EXO-FRC-01', 'EXO-OPP-04'],
  },
  {
    name: 'verifies the recipient before TLS',
    requirement: 'EXO-MSG-01',
    sender: { commandsBeforeStarttls: ({ recipients }) => [`VRFY ${recipients[0]}`] },
    symptom: 'VRFY crossed the wire unencrypted',
    explains: ['EXO-FRC-01', 'EXO-OPP-04'],
  },
  {
    name: 'says QUIT outside of TLS',
    requirement: 'EXO-MSG-01',
    sender: { bytesOutsideTls: ({ moment }) => (moment === 'end of session' ? 'QUIT\r\n' : '') },
    symptom: 'after the handshake, bytes crossed outside of TLS',
  },
  {
    name: 'sends a copy in clear after the delivery',
    requirement: 'EXO-MSG-01',
    sender: { sendsAgainInClear: ({ delivered, tls }) => delivered && tls !== undefined },
    symptom: 'arrived again, unencrypted',
    explains: ['EXO-FRC-01', 'EXO-OPP-04'],
  },
  {
    name: 'marks the subject of mail that goes out over TLS',
    requirement: 'EXO-MSG-04',
    sender: {
      contentToSend: ({ content, tls }) =>
        tls ? content.replace(/^Subject: /m, 'Subject: [secure] ') : content,
    },
    symptom: 'with another subject',
  },
  {
    name: 'marks the subject of mail that came over TLS',
    requirement: 'EXO-MSG-04',
    receiver: {
      stored: ({ tls }, correct) => (tls ? correct?.replace(/^Subject: /m, 'Subject: [secure] ') : correct),
    },
    symptom: 'another subject',
  },
  {
    name: 'adds to the text of mail that it sends over TLS',
    requirement: 'EXO-MSG-04',
    sender: { contentToSend: ({ tls, content }) => (tls ? content + ADDED : content) },
    symptom: 'is not the one that was sent',
  },
  {
    name: 'dates mail anew that came over TLS',
    requirement: 'EXO-MSG-04',
    receiver: {
      stored: (at, correct) => (at.tls && isFromServer(at) ? correct?.replace(/^Date:.*$/m, DATED) : correct),
    },
    symptom: 'another date',
  },
  {
    name: 'dates mail anew that it sends over TLS',
    requirement: 'EXO-MSG-04',
    sender: { contentToSend: ({ content, tls }) => (tls ? content.replace(/^Date:.*$/m, DATED) : content) },
    symptom: 'another date',
  },
  {
    name: 'removes the S/MIME encryption of mail that comes in',
    requirement: 'EXO-MSG-05',
    receiver: { stored: (at, correct) => (isFromServer(at) && correct ? withoutSmime(correct) : correct) },
    symptom: 'cannot decrypt the message any more',
  },
]
