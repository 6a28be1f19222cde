import { createServer, connect as tcpConnect } from 'node:net'
import { hostname as hostName, networkInterfaces } from 'node:os'
import { Engine } from '../engine/engine.ts'
import { freePort } from '../free-port.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { addressOf, type Endpoint } from '../wire/smtp/smtp.ts'
import { ENGINE_LIMIT } from './clean.ts'
import { COLUMNS, wrapped } from './columns.ts'

/** A mail server that greets on this machine. */
export interface Server {
  address: Endpoint
  /** The name in its greeting, if it is one that a host may have. */
  hostname: string | undefined
}

/** What a gateway file can say of this machine. */
export interface Surroundings {
  /** Where mail of other servers is accepted. */
  receiver: Server | undefined
  /** Where users hand in messages. */
  submission: Server | undefined
  /** At which the suite can listen. */
  partner: Endpoint
  /** Of this machine, without those of loopback. */
  addresses: string[]
  /** What the container engine says of itself; absent where none answers. */
  engine: string | undefined
}

/** Where to look; what is left out is this machine's. */
export interface Places {
  host?: string
  receivers?: readonly number[]
  submissions?: readonly number[]
  /** At which the suite listens if it is free. */
  partner?: number
  hostname?: string
  addresses?: string[]
  /** Throws where none answers. */
  engine?: () => Promise<{ description: string }>
  /** For the greeting of a server, in ms. */
  limit?: number
}

/** The first is where mail servers listen, the second where one for tests does, which is not root. */
const RECEIVERS = [25, 2525]
const SUBMISSIONS = [587, 2587]
export const PARTNER = 2625
/** A server on the same machine that needs longer for its greeting is named by a person. */
const GREETING = 3_000
/** RFC 5321 s4.5.3.1.5. */
const LONGEST_REPLY = 512

/** Asks nobody but servers on loopback and the container engine, and asks the person nothing. */
export async function lookAround(here: Places = {}): Promise<Surroundings> {
  const { host = '127.0.0.1', limit = GREETING, hostname = hostName() } = here
  const { engine = () => Engine.connect(undefined, undefined, ENGINE_LIMIT) } = here
  const own = isHostName(hostname) ? hostname : undefined
  const first = async (ports: readonly number[]): Promise<Server | undefined> => {
    const all = await Promise.all(ports.map(port => greetingAt({ host, port }, limit)))
    const found = all.findIndex(text => text !== undefined)
    if (found < 0) return undefined
    return { address: { host, port: ports[found]! }, hostname: nameIn(all[found]!) ?? own }
  }
  const [receiver, submission, partner, description] = await Promise.all([
    first(here.receivers ?? RECEIVERS),
    first(here.submissions ?? SUBMISSIONS),
    freeAt(host, here.partner ?? PARTNER),
    engine().then(
      found => visibleLine(clipped(found.description, 100)),
      () => undefined,
    ),
  ])
  const addresses = here.addresses ?? addressesOf()
  return { receiver, submission, partner: { host, port: partner }, addresses, engine: description }
}

/** The first line of a 220 greeting; nothing where none comes. */
function greetingAt({ host, port }: Endpoint, limit: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = tcpConnect({ host, port })
    let text = ''
    const end = (found?: string) => {
      clearTimeout(timer)
      // RFC 5321 s4.1.1.10: a client says when it leaves.
      if (found === undefined) socket.destroy()
      else socket.end('QUIT\r\n', () => socket.destroy())
      resolve(found)
    }
    const timer = setTimeout(end, limit)
    socket.setEncoding('latin1')
    socket.on('error', () => end())
    socket.on('close', () => end())
    socket.on('data', chunk => {
      text += chunk
      const [line, rest] = text.split(/\r?\n/, 2)
      if (rest === undefined && text.length <= LONGEST_REPLY) return
      socket.removeAllListeners('data')
      end(rest !== undefined && /^220[ -]/.test(line!) ? line : undefined)
    })
  })
}

/** RFC 5321 s4.2: the code is followed by the domain of the server. */
function nameIn(greeting: string): string | undefined {
  const [, name = ''] = /^220[ -](\S+)/.exec(greeting) ?? []
  return isHostName(name) ? name.toLowerCase() : undefined
}

/** A name with a dot that is no address, as a certificate can have it; RFC 1123 s2.1. */
function isHostName(name: string): boolean {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
  return name.length <= 253 && new RegExp(`^(${label}\\.)+(?=[a-z])${label}$`, 'i').test(name)
}

async function freeAt(host: string, port: number): Promise<number> {
  const free = await new Promise<boolean>(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port }, () => server.close(() => resolve(true)))
  })
  return free ? port : await freePort(host)
}

/** Link-local addresses are left out, because they need the name of an interface. */
function addressesOf(): string[] {
  return Object.values(networkInterfaces())
    .flatMap(all => all ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80|169\.254)/i.test(address))
    .map(({ address }) => address)
}

/** Lines for a terminal: what was found, and where it stands in the file. */
export function surroundingsText({
  receiver,
  submission,
  partner,
  addresses,
  engine,
}: Surroundings): string[] {
  const item = (text: string) => `- ${wrapped(text, COLUMNS, 2)}`
  const called = ({ hostname }: Server) => (hostname ? `, as ${hostname}` : '')
  return [
    'Found on this machine:',
    item(
      receiver
        ? `a mail server that greets at ${addressOf(receiver.address)}${called(receiver)}; the file names it. Judge no server that handles real mail.`
        : 'no mail server where one usually listens; the address in the file is an example',
    ),
    ...(submission ? [item(`a server for mail of users at ${addressOf(submission.address)}`)] : []),
    item(`a free address at which the suite can listen, ${addressOf(partner)}`),
    ...(addresses.length > 0
      ? [
          item(
            `its addresses ${addresses.slice(0, 4).join(', ')}${addresses.length > 4 ? ', …' : ''}; a gateway on another machine delivers to one of them, which the key partner then names`,
          ),
        ]
      : []),
    item(
      engine === undefined
        ? 'no container engine; the file needs none, unless it has the key lab'
        : `a container engine, ${engine}; with the key lab, the suite joins the network of a gateway in a container`,
    ),
  ]
}
