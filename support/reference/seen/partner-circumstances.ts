import { messageCircumstances } from './message-circumstances.ts'
import type { PartnerSeen, PastMail, SeenReply } from './partner.ts'

type Holds = (seen: PartnerSeen) => boolean

const greeting = ({ replies }: PartnerSeen): readonly string[] =>
  replies.find(({ to }) => to === 'greeting')?.lines ?? []

/** Lines of EHLO that list something. */
const listed = ({ ehlo }: PartnerSeen): string[] => ehlo.slice(1)
const words = (seen: PartnerSeen): string[] => listed(seen).map(line => line.split(' ', 1)[0]!)
const lists = (seen: PartnerSeen, keyword: string): boolean =>
  words(seen).some(word => word.toUpperCase() === keyword)

const starttls =
  (fits: (place: number, count: number) => boolean): Holds =>
  seen => {
    const place = words(seen).findIndex(word => /^starttls$/i.test(word))
    return place >= 0 && fits(place, words(seen).length)
  }

const lacks =
  (keyword: string): Holds =>
  seen =>
    seen.ehlo.length > 0 && !lists(seen, keyword)

const offers =
  (...wanted: string[]): Holds =>
  seen =>
    ['CHUNKING', 'DSN', 'SMTPUTF8'].every(one => lists(seen, one) === wanted.includes(one))

const size =
  (line: string): Holds =>
  seen =>
    listed(seen).some(one => one.toUpperCase() === line)

const STATUS = /^\d\.\d{1,3}\.\d{1,3} /
const wordOf = ({ lines }: SeenReply): string => lines.at(-1)!.replace(STATUS, '')
const withoutStatus = ({ lines }: SeenReply): boolean => !STATUS.test(lines[0]!)
const answers =
  (fits: (reply: SeenReply) => boolean): Holds =>
  ({ answers }) =>
    answers.length > 0 && answers.every(fits)

/** Bytes of a full record of a partner that writes small ones, and what TLS 1.3 adds to them: RFC 8446 s5.2. */
const FULL = 512
const SEAL = 17

const average = (lengths: readonly number[]): number =>
  lengths.reduce((sum, length) => sum + length, 0) / lengths.length

const key =
  (kind: string): Holds =>
  ({ handshake }) =>
    handshake?.key === kind

const curve =
  (name: RegExp): Holds =>
  ({ handshake }) =>
    name.test(handshake?.curve ?? '')

const before =
  (which: 'same' | 'other', ...outcomes: PastMail['outcome'][]): Holds =>
  ({ past, domain }) =>
    past !== undefined && (past.domain === domain) === (which === 'same') && outcomes.includes(past.outcome)

/** Whether a circumstance holds, by its name in `features/circumstances.yaml`, from what the gateway has seen of a partner. */
export const PARTNER_CIRCUMSTANCES: Record<string, Holds> = {
  'where the gateway finds the partner: at its second mail exchanger': ({ position }) => position > 0,
  'where the gateway finds the partner: at an IPv6 address': ({ address }) => address.includes(':'),
  'the domain of the partner: two names below': ({ deep }) => deep,
  'what the gateway sent before: a message to the same partner': before('same', 'over TLS', 'unencrypted'),
  'what the gateway sent before: a message that the partner refused': before('same', 'refused'),
  'what the gateway sent before: a message whose TLS handshake failed': before('other', 'no handshake'),
  'what the gateway sent before: a message to another domain at the same mail exchanger': before(
    'other',
    'over TLS',
  ),
  'what the gateway sent before: an unencrypted message to another domain at the same mail exchanger': before(
    'other',
    'unencrypted',
  ),
  'what the gateway sent before: a message that waits because STARTTLS was not offered': before(
    'other',
    'no STARTTLS',
  ),
  'how the partner greets: in three lines': seen => greeting(seen).length === 3,
  'how the partner greets: in lower case': seen => greeting(seen).some(line => line.includes('esmtp')),
  'how the partner greets: without ESMTP': seen =>
    greeting(seen).length > 0 && !greeting(seen).some(line => /esmtp/i.test(line)),
  'where the partner lists STARTTLS: first': starttls(place => place === 0),
  'where the partner lists STARTTLS: in the middle': starttls(
    (place, count) => place > 0 && place < count - 1,
  ),
  'how the partner writes keywords: all in lower case': seen =>
    words(seen).length > 0 && words(seen).every(word => word === word.toLowerCase()),
  'how the partner writes keywords: STARTTLS in lower case': seen =>
    words(seen).includes('starttls') && words(seen).some(word => word !== word.toLowerCase()),
  'how the partner writes keywords: STARTTLS in mixed case': seen => words(seen).includes('StartTLS'),
  'what else the partner lists: keywords that nobody knows': seen => lists(seen, 'X-STARTTLS-LATER'),
  'what else the partner lists: 100 lines': ({ ehlo }) => ehlo.length >= 100,
  'what else the partner lists: text behind the host name': ({ ehlo }) => ehlo[0]?.includes(' ') === true,
  'an extension that the partner does not have: PIPELINING': lacks('PIPELINING'),
  'an extension that the partner does not have: 8BITMIME': lacks('8BITMIME'),
  'an extension that the partner does not have: SIZE': lacks('SIZE'),
  // A partner whose replies have no status lists no such extension either.
  'an extension that the partner does not have: ENHANCEDSTATUSCODES': seen =>
    lacks('ENHANCEDSTATUSCODES')(seen) && !answers(withoutStatus)(seen),
  'extensions that the partner has besides: CHUNKING': offers('CHUNKING'),
  'extensions that the partner has besides: DSN': offers('DSN'),
  'extensions that the partner has besides: SMTPUTF8': offers('SMTPUTF8'),
  'extensions that the partner has besides: CHUNKING, DSN and SMTPUTF8': offers(
    'CHUNKING',
    'DSN',
    'SMTPUTF8',
  ),
  'the largest message that the partner announces: no maximum that is fixed': size('SIZE 0'),
  'the largest message that the partner announces: 10 GiB': size('SIZE 10737418240'),
  'the largest message that the partner announces: no number': size('SIZE'),
  'how the partner words replies: without enhanced status codes': answers(withoutStatus),
  'how the partner words replies: in lower case': answers(
    reply => wordOf(reply) === wordOf(reply).toLowerCase(),
  ),
  'how the partner words replies: in several lines': answers(({ lines }) => lines.length === 3),
  'how the partner words replies: of 512 octets': answers(({ lines }) => lines[0]!.length > 400),
  'how the partner accepts a recipient: with 251': ({ replies }) =>
    replies.some(({ to, code }) => to === 'RCPT' && code === 251),
  // What is written piece by piece may still be read in fewer pieces.
  'how fast the partner answers: replies in single bytes': ({ replies }) =>
    replies.some(({ reads }) => reads.length > 3 && average(reads) < 40),
  'how the partner writes TLS: in records of 512 bytes': ({ handshake }) =>
    handshake?.records.some(length => length === FULL || length === FULL + SEAL) === true,
  'how the partner writes TLS: in pieces of 100 bytes': ({ handshake }) =>
    handshake !== undefined && handshake.reads.length > 4 && average(handshake.reads) <= 400,
  'the TLS version of the partner: TLS 1.2 at most': ({ handshake }) => handshake?.version === 'TLSv1.2',
  // Up to TLS 1.2 the libraries prefer it by themselves.
  'the group that the partner prefers: X25519': seen =>
    curve(/^X25519$/)(seen) && seen.handshake?.version === 'TLSv1.3',
  'the group that the partner prefers: P-256': curve(/^(prime256v1|P-256)$/),
  'the group that the partner prefers: P-384': curve(/^(secp384r1|P-384)$/),
  "the key of the partner's certificate: RSA with 3072 bits": key('rsa 3072'),
  "the key of the partner's certificate: RSA with 4096 bits": key('rsa 4096'),
  "the key of the partner's certificate: ECDSA on P-256": key('ec prime256v1'),
  "the key of the partner's certificate: ECDSA on P-384": key('ec secp384r1'),
  "the key of the partner's certificate: Ed25519": key('ed25519'),
}

/** The same, from the message that the gateway sends. */
export const SENT_CIRCUMSTANCES = messageCircumstances('sent')

interface Envelope {
  from: string
  /** In one domain. */
  to: readonly string[]
  /** In all domains. */
  all: readonly string[]
}

const LONGEST_LOCAL_PART = 64
const localPart = (address: string): string => address.slice(0, address.lastIndexOf('@'))
const authorIs =
  (fits: (author: string) => boolean) =>
  ({ from }: Envelope) =>
    fits(from)
const recipientIs =
  (fits: (recipient: string) => boolean) =>
  ({ to }: Envelope) =>
    to.length > 0 && to.every(fits)

const domainOf = (address = ''): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()
const ownIs =
  (place: 0 | 1) =>
  ({ to, all }: Envelope): boolean =>
    to.length === 1 && all.length === 2 && all[place] === to[0] && domainOf(all[0]) !== domainOf(all[1])

/** The same, from the addresses of this message. */
export const ENVELOPE_CIRCUMSTANCES: Record<string, (envelope: Envelope) => boolean> = {
  'the author of the sent message: null': authorIs(author => author === ''),
  'the author of the sent message: quoted local part': authorIs(author => author.startsWith('"')),
  'the author of the sent message: local part of 64 characters': authorIs(
    author => localPart(author).length === LONGEST_LOCAL_PART,
  ),
  'the recipient of the sent message: quoted local part with an at sign': recipientIs(recipient =>
    /^".*@.*"@/.test(recipient),
  ),
  'the recipient of the sent message: local part of 64 characters': recipientIs(
    recipient => localPart(recipient).length === LONGEST_LOCAL_PART,
  ),
  'the recipient of the sent message: domain in capitals': recipientIs(recipient =>
    /@[^a-z]+$/.test(recipient),
  ),
  'the recipients of the sent message: two at the partner': ({ to }) =>
    to.length === 2 && domainOf(to[0]) === domainOf(to[1]),
  'the recipients of the sent message: one at another partner, then one at the partner': ownIs(1),
  'the recipients of the sent message: one at the partner, then one at another partner': ownIs(0),
}

const BUSY = 'on a busy machine every reply may take so long'
const ENCRYPTED = 'TLS 1.3 encrypts it, and the TLS library does not tell'
const NOT_RESUMED = 'the reference gateway resumes no session with a partner'

/** Circumstances that a gateway cannot tell, with the reason. */
export const UNSEEN_OF_PARTNERS: Record<string, string> = {
  'how the partner greets: after 150 ms': BUSY,
  'how fast the partner answers: the reply to EHLO after 150 ms': BUSY,
  'how fast the partner answers: the go-ahead after 150 ms': BUSY,
  'how fast the partner answers: the reply to the content after 150 ms': BUSY,
  'who closes the connection after QUIT: the gateway, within 2 s': 'nothing is decided after QUIT',
  'whether the partner asks for a client certificate: it asks and takes mail without one': ENCRYPTED,
  'whether the partner asks for a client certificate: it asks, without names of authorities': ENCRYPTED,
  'to whom the partner shows its certificate: to clients that name a server':
    'the gateway names a server, and gets the same certificate as from others',
  'what the partner sends with its certificate: its intermediate and its root': ENCRYPTED,
  'what the partner sends with its certificate: its intermediate, and its root as an expired authority signed it':
    ENCRYPTED,
  'what the partner sends with its certificate: its intermediate and a certificate of another chain':
    ENCRYPTED,
  'the session tickets of the partner: short ones, and none up to TLS 1.2': NOT_RESUMED,
  'the session tickets of the partner: tickets that it takes again': NOT_RESUMED,
}
