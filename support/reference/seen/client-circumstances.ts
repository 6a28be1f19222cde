import { isDeepStrictEqual } from 'node:util'
import type { ClientSeen, PastSession, SeenCommand } from './client.ts'
import { messageCircumstances } from './message-circumstances.ts'

type Holds = (seen: ClientSeen) => boolean

const isGreeting = ({ verb }: SeenCommand): boolean => verb === 'EHLO' || verb === 'HELO'

const greetings = ({ commands }: ClientSeen): string =>
  commands
    .filter(isGreeting)
    .map(({ verb }) => verb)
    .join(' ')

/** Commands that the client spells: BDAT stands before a chunk in one write. */
const spelled = ({ commands }: ClientSeen): SeenCommand[] => commands.filter(({ verb }) => verb !== 'BDAT')

const keyword = ({ line }: SeenCommand): string => /^[a-z]*/i.exec(line)![0]
const isLower = (text: string): boolean => text === text.toLowerCase()
const isUpper = (text: string): boolean => text === text.toUpperCase()

const allKeywords =
  (fits: (word: string) => boolean): Holds =>
  seen =>
    spelled(seen).length > 0 && spelled(seen).every(command => fits(keyword(command)))

/** Reads of the commands that came by themselves. */
const readsOfCommands = (seen: ClientSeen): readonly number[][] =>
  spelled(seen)
    .map(({ reads }) => [...reads])
    .filter(reads => reads.length > 0)

/** What is written piece by piece may still be read in one. */
const someReads =
  (fits: (reads: readonly number[]) => boolean): Holds =>
  seen =>
    readsOfCommands(seen).some(fits)

const path = ({ mail }: ClientSeen): string | undefined => /<([^>]*)>/.exec(mail?.argument ?? '')?.[1]
const parameters = ({ mail }: ClientSeen): string => (mail?.argument ?? '').split('>').at(-1)!.toUpperCase()
const has = (seen: ClientSeen, ...words: string[]): boolean =>
  words.every(one => parameters(seen).includes(one))

const mailbox =
  (pattern: RegExp): Holds =>
  seen =>
    pattern.test(path(seen) ?? '')

const recipients = ({ transaction }: ClientSeen): string[] =>
  transaction.flatMap(({ verb, argument }) =>
    verb === 'RCPT' ? (/<([^>]*)>/.exec(argument)?.[1] ?? '').toLowerCase() : [],
  )
const isPostmaster = (address: string): boolean => address.startsWith('postmaster@')
const pair =
  (fits: (first: string, second: string) => boolean): Holds =>
  seen => {
    const [first, second, ...more] = recipients(seen)
    return first !== undefined && second !== undefined && more.length === 0 && fits(first, second)
  }

const behindMail = ({ mail }: ClientSeen): string => mail?.behind.toUpperCase() ?? ''
const isPipelined = (seen: ClientSeen): boolean => behindMail(seen).startsWith('RCPT')
/** Chunks of the message, once the last one has been announced. */
const chunks = ({ transaction }: ClientSeen): SeenCommand[] => {
  const all = transaction.filter(({ verb }) => verb === 'BDAT')
  return all.some(({ argument }) => /LAST/i.test(argument)) ? all : []
}

const beforeMail = (seen: ClientSeen, at: number): SeenCommand | undefined => seen.mail && seen.before.at(at)
const beganMessage = (command: SeenCommand | undefined): boolean =>
  command?.verb === 'MAIL' || command?.verb === 'RCPT'

const keyIs =
  (key: { type: string; bits?: number; curve?: string }) =>
  ({ tls }: ClientSeen): boolean =>
    isDeepStrictEqual(tls?.certificate?.key, key)

const domainOf = (seen: ClientSeen): string => (path(seen) ?? '').split('@').at(-1)!.toLowerCase()
/** The last MAIL before an accepted message that stands before the last MAIL of all. */
const acceptedOf = ({ before }: ClientSeen): string | undefined => {
  const at = before.findIndex(({ verb, code }) => verb === 'DATA' && code === 250)
  return before
    .slice(0, Math.max(at, 0))
    .findLast(({ verb }) => verb === 'MAIL')
    ?.argument.toLowerCase()
}

const past =
  (back: number, ...kinds: PastSession[]): Holds =>
  seen =>
    kinds.includes(seen.past().at(-back)!)

/** What is written in small pieces may be read in fewer, of several pieces each; nobody else's hello takes so many reads. */
const helloInPieces = ({ hello }: ClientSeen, of64: boolean): boolean =>
  hello !== undefined &&
  hello.reads.length > 4 &&
  hello.reads.slice(0, -1).every(length => length % 64 === 0) === of64

/** Of the final dot and its line ends, some bytes came by themselves. */
const writtenApart = ({ content, contentReads, transaction }: ClientSeen): boolean =>
  content !== undefined &&
  !transaction.some(({ verb }) => verb === 'BDAT') &&
  contentReads.length > 1 &&
  contentReads.at(-1)! < 5

const histories = (dimension: string, back: number): Record<string, Holds> => ({
  [`${dimension}: a delivery of the same client`]: past(back, 'delivered'),
  [`${dimension}: a failed handshake of the same client`]: past(back, 'no handshake'),
  [`${dimension}: a refused message of the same client`]: past(back, 'refused'),
  [`${dimension}: a message of the same client that was cut off`]: past(back, 'cut off'),
})

const ofContent = (direction: 'delivered' | 'sent'): Record<string, Holds> =>
  Object.fromEntries(
    Object.entries(messageCircumstances(direction)).map(([name, holds]): [string, Holds] => [
      name,
      ({ content }) => content !== undefined && holds(content),
    ]),
  )

/** Whether a circumstance holds, by its name in `features/circumstances.yaml`, from what the gateway has seen of a client. */
export const CLIENT_CIRCUMSTANCES: Record<string, Holds> = {
  'how the client greets: HELO before EHLO': seen => /\bHELO EHLO$/.test(greetings(seen)),
  'how the client greets: EHLO twice': seen => /\bEHLO EHLO$/.test(greetings(seen)),
  'how the client greets: EHLO with an address literal': ({ commands }) =>
    commands.findLast(isGreeting)?.argument.startsWith('[') === true,
  'how the client greets: HELO in place of EHLO': seen =>
    /^HELO$/.test(greetings(seen)) && !isGreeting(seen.commands.at(-1)!),
  'how the client writes commands: lower case': allKeywords(isLower),
  'how the client writes commands: mixed case': allKeywords(word => !isLower(word) && !isUpper(word)),
  'what stands at the end of a command: a blank before the line end': seen =>
    spelled(seen).length > 0 && spelled(seen).every(({ line }) => line.endsWith(' ')),
  'parameters of MAIL: SIZE': seen => has(seen, 'SIZE=') && !has(seen, 'BODY='),
  'parameters of MAIL: BODY': seen => has(seen, 'BODY=') && !has(seen, 'SIZE='),
  'parameters of MAIL: SIZE and BODY': seen => has(seen, 'SIZE=', 'BODY='),
  'parameters of MAIL: SMTPUTF8': seen => has(seen, 'SMTPUTF8'),
  'parameters of MAIL: RET and ENVID': seen => has(seen, 'RET=', 'ENVID='),
  'commands beside those of a delivery: RSET before MAIL': seen =>
    beforeMail(seen, -1)?.verb === 'RSET' && !beganMessage(beforeMail(seen, -2)),
  'commands beside those of a delivery: NOOP between commands': seen => beforeMail(seen, -1)?.verb === 'NOOP',
  'commands beside those of a delivery: VRFY before MAIL': seen => beforeMail(seen, -1)?.verb === 'VRFY',
  'commands beside those of a delivery: MAIL and RSET before STARTTLS': ({ beforeTls }) =>
    beforeTls.some(({ verb }, at) => verb === 'MAIL' && beforeTls[at + 1]?.verb === 'RSET'),
  'the sender of the message: null': seen => path(seen) === '',
  'the sender of the message: quoted local part': mailbox(/^"[^"@]*"@/),
  'the sender of the message: quoted local part with an at sign': mailbox(/^"[^"]*@[^"]*"@/),
  'the sender of the message: source route': mailbox(/^@/),
  'the sender of the message: domain in capitals': mailbox(/@(?=.*[A-Z])[^a-z]+$/),
  'the sender of the message: local part of 64 characters': mailbox(/^[^@]{64}@/),
  'the recipients of the message: two, the mailbox first': pair((_, second) => isPostmaster(second)),
  'the recipients of the message: two, the mailbox second': pair(isPostmaster),
  'the recipients of the message: the mailbox twice': pair((first, second) => first === second),
  'the recipients of the message: one that does not exist, then the mailbox': pair(
    (first, second) => first !== second && !isPostmaster(first) && !isPostmaster(second),
  ),
  'how the client transfers the message: DATA with the envelope pipelined': seen =>
    /\r\nDATA *\r\n$/.test(behindMail(seen)),
  'how the client transfers the message: BDAT in one chunk': seen =>
    chunks(seen).length === 1 && !isPipelined(seen),
  'how the client transfers the message: BDAT in several chunks': seen => chunks(seen).length > 1,
  'how the client transfers the message: BDAT with the envelope pipelined': seen =>
    /\r\nBDAT \d+ LAST\r\n/.test(behindMail(seen)),
  'writes of a command: single bytes': someReads(reads => reads.length > 3),
  'writes of a command: two halves': seen =>
    someReads(reads => reads.length === 2)(seen) && !someReads(reads => reads.length > 2)(seen),
  'writes of the message: pieces of 1 KiB': seen =>
    seen.content !== undefined &&
    seen.contentReads.length > 1 &&
    Math.max(...seen.contentReads) <= 4096 &&
    !writtenApart(seen),
  'writes of the message: the final dot apart': writtenApart,
  'TLS versions of the client: TLS 1.2 at most': ({ hello }) =>
    hello !== undefined && !hello.hello.versions.includes('TLSv1.3'),
  'the server name in the ClientHello: none': ({ hello }) =>
    hello !== undefined && hello.hello.serverName === undefined,
  'the server name in the ClientHello: in capitals': ({ hello, hostname }) =>
    hello?.hello.serverName === hostname.toUpperCase(),
  'the server name in the ClientHello: another name': ({ hello, hostname }) =>
    hello?.hello.serverName !== undefined && hello.hello.serverName.toLowerCase() !== hostname.toLowerCase(),
  "the client's TLS session: resumed by ticket": ({ tls }) => tls?.resumed === 'by ticket',
  "the client's TLS session: resumed by id": ({ tls }) => tls?.resumed === 'by id',
  'the ClientHello: single bytes': seen => helloInPieces(seen, false),
  'the ClientHello: pieces of 64 bytes': seen => helloInPieces(seen, true),
  'the ClientHello: two records': ({ hello }) => hello?.records === 2,
  'the ClientHello: of 4,500 bytes': ({ hello }) => hello !== undefined && hello.length > 3_000,
  'the ClientHello: of 350 bytes': ({ hello }) =>
    hello !== undefined && hello.length < 700 && hello.hello.versions.includes('TLSv1.3'),
  "the key of the client's certificate: RSA with 3072 bits": keyIs({ type: 'rsa', bits: 3072 }),
  "the key of the client's certificate: RSA with 4096 bits": keyIs({ type: 'rsa', bits: 4096 }),
  "the key of the client's certificate: ECDSA on P-256": keyIs({ type: 'ec', curve: 'prime256v1' }),
  'the domain of the client: two names below': ({ deep }) => deep(),
  'what the client did before on the connection: an accepted message': seen =>
    acceptedOf(seen)?.includes(domainOf(seen)) === true,
  'what the client did before on the connection: an accepted message of another sender': seen =>
    acceptedOf(seen)?.includes(domainOf(seen)) === false,
  'what the client did before on the connection: a message that it took back': ({ before }) =>
    before.some(({ verb, code }, at) => verb === 'RCPT' && code === 250 && before[at + 1]?.verb === 'RSET'),
  'what the client did before on the connection: a refused recipient': ({ before }) =>
    before.some(({ verb, code = 0 }) => verb === 'RCPT' && code >= 400),
  ...histories('what happened before on another connection', 1),
  ...histories('what happened before that', 2),
  // A message that the gateway sends on was delivered to it before.
  ...ofContent('delivered'),
  ...ofContent('sent'),
}

/** Circumstances that a gateway cannot tell, with the reason. */
export const UNSEEN_OF_CLIENTS: Record<string, string> = Object.fromEntries(
  ['what happened before on another connection', 'what happened before that'].map(dimension => [
    `${dimension}: an unencrypted delivery of another client`,
    'the gateway serves many clients at once, so that another one has always delivered before',
  ]),
)
