import { isDeepStrictEqual } from 'node:util'
import { isEightBit, type Message } from '../evidence/mail.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import { decisive, type InboundConnector } from '../mailflow/mail-flow.ts'
import { type CertificateFlaw, FLAWS } from '../pki/flaws.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import type { MessageManner } from './message.ts'

const HISTORIES = [
  'a delivery of the same client',
  'an unencrypted delivery of another client',
  'a failed handshake of the same client',
  'a refused message of the same client',
  'a message of the same client that was cut off',
] as const
export type History = (typeof HISTORIES)[number]

/**
 * The ways in which a lawful client may differ from the plain one, which is what holds where a key is absent. No way
 * changes what an example is about.
 *
 * A domain with a dot at its end is not among the senders: the grammar of RFC 5321 s4.1.2 has no such domain.
 */
export const CLIENT_MANNERS = {
  /** Plain: EHLO with the client's name. RFC 5321 s4.1.1.1, s4.1.3 and s4.1.4. */
  greeting: ['HELO before EHLO', 'EHLO twice', 'EHLO with an address literal', 'HELO in place of EHLO'],
  /** Plain: capitals. Case does not matter in verbs and keywords: RFC 5321 s2.4. */
  commandCase: ['lower case', 'mixed case'],
  /** Plain: nothing. Servers should tolerate blanks there: RFC 5321 s4.1.1. */
  commandEnd: ['a blank before the line end'],
  /** Of MAIL. Plain: none. RFC 1870 s6, RFC 6152 s2, RFC 6531 s3.4, RFC 3461 s4.3 and s4.4. */
  parameters: ['SIZE', 'BODY', 'SIZE and BODY', 'SMTPUTF8', 'RET and ENVID'],
  /** Beside those that a delivery needs. Plain: none. RFC 5321 s4.1.1.5, s4.1.1.6, s4.1.1.9 and s4.1.4, RFC 3207 s4.2. */
  extraCommands: [
    'RSET before MAIL',
    'NOOP between commands',
    'VRFY before MAIL',
    'MAIL and RSET before STARTTLS',
  ],
  /** Plain: the address of the message. RFC 5321 s4.1.2, s4.5.5, s4.5.3.1.1, s2.4 and appendix C. */
  sender: [
    'null',
    'quoted local part',
    'quoted local part with an at sign',
    'source route',
    'domain in capitals',
    'local part of 64 characters',
  ],
  /** Plain: the address of the message alone. RFC 5321 s3.3, s4.5.1 and s4.5.3.1.8. */
  recipients: [
    'two, the mailbox first',
    'two, the mailbox second',
    'the mailbox twice',
    'one that does not exist, then the mailbox',
  ],
  /** Plain: DATA. RFC 5321 s4.1.1.4, RFC 2920 s3.1, RFC 3030 s2 and s4.2. */
  transfer: [
    'DATA with the envelope pipelined',
    'BDAT in one chunk',
    'BDAT in several chunks',
    'BDAT with the envelope pipelined',
  ],
  /** Plain: one write for each command. TCP knows no borders between writes: RFC 9293 s3.7. */
  commandWrites: ['single bytes', 'two halves'],
  /** Plain: one write for the message and the dot after it. RFC 9293 s3.7. */
  messageWrites: ['pieces of 1 KiB', 'the final dot apart'],
  /** Plain: TLS 1.3 and 1.2. RFC 9325 s3.1.1. */
  tlsVersion: ['TLS 1.2 at most'],
  /** In the ClientHello. Plain: the gateway's name. RFC 6066 s3; DNS names are the same in capitals: RFC 4343 s2. */
  serverName: ['none', 'in capitals', 'another name'],
  /**
   * Plain: fresh. The same client has made a session before, said NOOP and QUIT. RFC 8446 s2.2, RFC 5077 s3, RFC 5246 s7.3;
   * `by id` is TLS 1.2.
   */
  session: ['resumed by ticket', 'resumed by id'],
  /**
   * Plain: one record, one write, about 1,600 bytes. TCP knows no borders (RFC 9293 s3.7), a message may be spread over
   * records (RFC 8446 s5.1, RFC 5246 s6.2.1), and the shares in it are the client's choice (RFC 8446 s4.2.8).
   */
  clientHello: ['single bytes', 'pieces of 64 bytes', 'two records', 'of 4,500 bytes', 'of 350 bytes'],
  /** Of the certificate that the client shows. Plain: RSA 2048. RFC 9325 s4.5; a must of TLS 1.3 is P-256: RFC 8446 s9.1. */
  certificateKey: ['RSA 3072', 'RSA 4096', 'ECDSA P-256'],
  /** What the client did before on the same connection. Plain: nothing. RFC 5321 s3.3 and s4.1.1.5. */
  earlierOnConnection: [
    'an accepted message',
    'an accepted message of another sender',
    'a message that it took back',
    'a refused recipient',
  ],
  /** What happened before on another connection. Plain: nothing. RFC 5321 s3.1: each session stands for itself. */
  history: HISTORIES,
  /** What happened before that. Plain: nothing. */
  earlierHistory: HISTORIES,
} as const satisfies Record<string, readonly string[]>

/** How a lawful client talks to the gateway; an absent key is the plain way. JSON only. */
export type ClientManner = { [K in keyof typeof CLIENT_MANNERS]?: (typeof CLIENT_MANNERS)[K][number] }

/**
 * What of a manner is left where an example leads the session command by command: nothing that adds commands or changes
 * which reply answers which.
 */
export function inSession(manner: ClientManner): ClientManner {
  const { greeting, commandCase, sender, commandWrites } = manner
  const { tlsVersion, serverName, session, clientHello, certificateKey, history, earlierHistory } = manner
  return {
    ...(greeting === 'EHLO with an address literal' ? { greeting } : {}),
    ...(commandCase ? { commandCase } : {}),
    ...(sender ? { sender } : {}),
    ...(commandWrites ? { commandWrites } : {}),
    ...(tlsVersion ? { tlsVersion } : {}),
    ...(serverName ? { serverName } : {}),
    ...(session ? { session } : {}),
    ...(clientHello ? { clientHello } : {}),
    ...(certificateKey ? { certificateKey } : {}),
    ...(history ? { history } : {}),
    ...(earlierHistory ? { earlierHistory } : {}),
  }
}

/** The EHLO keywords without which a client cannot talk in this manner or send this message, each with what needs it. */
export function neededKeywords(manner: ClientManner, message?: Message): ReadonlyMap<string, string> {
  const { transfer = '', parameters = '' } = manner
  const needed = new Map<string, string>()
  if (transfer.includes('BDAT')) needed.set('CHUNKING', transfer)
  if (transfer.includes('pipelined')) needed.set('PIPELINING', transfer)
  for (const [parameter, keyword] of Object.entries(KEYWORDS))
    if (parameters.includes(parameter)) needed.set(keyword, `the parameter ${parameters}`)
  if (message && isEightBit(message.content)) needed.set('8BITMIME', 'a text of 8 bits')
  return needed
}

/** By the parameter of MAIL that it permits. */
const KEYWORDS = { SIZE: 'SIZE', BODY: '8BITMIME', SMTPUTF8: 'SMTPUTF8', RET: 'DSN' }

/** What a manner has to fit beside the behaviour of the client. */
export interface Receiving {
  connectors: readonly InboundConnector[]
  /** From which the client writes. */
  domain: string
  mailbox?: MailboxLimits | undefined
  message?: MessageManner
}
type MailboxLimits = Pick<Mailbox, 'needsReturnPath' | 'sevenBitOnly'>

/** As much of the manner of a message as whoever gets it takes: the mailbox behind the gateway, or the partner. */
export function fittingMessage(manner: MessageManner, receiver: MailboxLimits | undefined): MessageManner {
  const { text, ...rest } = manner
  return text && !(text === '8-bit' && receiver?.sevenBitOnly) ? { ...rest, text } : rest
}

/**
 * Whether a client can talk in this manner and still do what the example demands of it. Without `receiving`, no null
 * sender fits.
 */
export function fits(manner: ClientManner, behaviour: SenderBehaviour, receiving?: Receiving): boolean {
  const { greeting, sender, transfer = 'DATA', extraCommands, history, earlierHistory } = manner
  const usesTls = behaviour.tls !== 'does not use'
  if (!fitsTls(manner, behaviour)) return false
  if (earlierHistory && !history) return false
  const pipelined = transfer.includes('pipelined')
  // The keywords of extensions are in the reply to EHLO alone.
  const needsEhlo = usesTls || neededKeywords(manner).size > 0 || receiving?.message?.text === '8-bit'
  if (greeting === 'HELO in place of EHLO' && needsEhlo) return false
  if (greeting === 'EHLO with an address literal' && behaviour.greetsAs) return false
  if (extraCommands === 'MAIL and RSET before STARTTLS' && !usesTls) return false
  if (sender === 'domain in capitals' && behaviour.inCapitals) return false
  if (sender === 'null' && !takesNull(receiving)) return false
  // NOOP may only end a group of commands: RFC 2920 s3.1.
  if (pipelined && extraCommands === 'NOOP between commands') return false
  if (transfer === 'BDAT with the envelope pipelined' && behaviour.cuts) return false
  // How the message crosses the end of TLS is what the example is about.
  if (behaviour.endsTlsIn && manner.transfer) return false
  return !(pipelined && behaviour.leavesAt)
}

/** As much of a manner as `fits`, key by key. */
export function fitting(...[manner, behaviour, receiving]: Parameters<typeof fits>): ClientManner {
  let fitted: ClientManner = {}
  let left = Object.entries(manner)
  for (;;) {
    const before = left.length
    left = left.filter(([key, value]) => {
      const more = { ...fitted, [key]: value }
      if (!fits(more, behaviour, receiving)) return true
      fitted = more
      return false
    })
    // What did not fit at first may fit together with what came later.
    if (left.length === 0 || left.length === before) return fitted
  }
}

const decidesOnKey = (flaw: CertificateFlaw): boolean => 'key' in FLAWS[flaw]

function fitsTls(
  { tlsVersion, serverName, session, clientHello, certificateKey }: ClientManner,
  behaviour: SenderBehaviour,
): boolean {
  const { tls, failsHandshake } = behaviour
  const maxVersion = behaviour.maxVersion ?? failsHandshake
  if (tls === 'does not use') return !(tlsVersion || serverName || session || clientHello || certificateKey)
  if (certificateKey && !behaviour.certificate) return false
  if (certificateKey && behaviour.certificate?.flaws?.some(decidesOnKey)) return false
  // TLS 1.2 has no curve that everybody must support.
  if (certificateKey?.startsWith('ECDSA') && (maxVersion || tlsVersion || session === 'resumed by id'))
    return false
  if ((maxVersion || behaviour.resumes) && session) return false
  if (maxVersion && tlsVersion) return false
  // The shares, which are most of a hello, are those of TLS 1.3.
  return !(clientHello?.startsWith('of ') && (maxVersion || tlsVersion || session === 'resumed by id'))
}

/** The null sender names no domain: the gateway must demand of it what it demands of the client's own domain. */
function takesNull(receiving: Receiving | undefined): boolean {
  if (!receiving || receiving.mailbox?.needsReturnPath) return false
  const { connectors, domain } = receiving
  const demands = ({ tls = 'opportunistic', clientCertificate }: Partial<InboundConnector> = {}) => ({
    tls,
    clientCertificate,
  })
  return isDeepStrictEqual(demands(decisive(connectors, domain)), demands(decisive(connectors, '')))
}
