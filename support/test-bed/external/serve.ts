/**
 * The reference gateway in a process of its own, as a gateway that the suite did not start, for `bed.ts`. The
 * first argument is `Served` as JSON. The process sends `Addresses` over IPC when it listens, and ends with its parent.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { createServer as createDns, Packet } from 'dns2'
import { hostSpecs } from '../../lab/lab.ts'
import { Partner } from '../../lab/partner/partner.ts'
import { PartnerServer } from '../../lab/partner/partner-server.ts'
import { decisive, type InboundConnector, type OutboundConnector } from '../../mailflow/mail-flow.ts'
import { readAuthorities } from '../../pki/authority-files.ts'
import { Pki } from '../../pki/pki.ts'
import { reference } from '../../reference/gateway.ts'
import { mutant } from '../../reference/mutants/index.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { textOf } from '../fixtures/ports.ts'

/** A connector that may deliver to a host of its own, on the partner's port. */
export interface RoutedConnector extends OutboundConnector {
  host?: string
}

export interface Served {
  /** The folder with the authorities. */
  pki: string
  /** Of its user, `probe`. */
  password: string
  /** Where the gateway delivers mail, except for its own domain and for connectors with a host of their own. */
  partner: Endpoint
  /** Where the gateway asks for names other than its own, in place of leading all domains to `partner`. */
  resolver?: Endpoint
  /** The host to which the gateway delivers mail for its own domain, on the partner's port. */
  mailboxHost: string
  inbound: InboundConnector[]
  outbound: RoutedConnector[]
  /** The name of a mutant or an omission. Without it the gateway has no defect. */
  defect?: string
  /** The gateway tries deferred mail again after each such time, in ms. */
  retriesAfter?: number
  /** The file to which the gateway writes what becomes of its mail and that it has new settings, as Postfix does. */
  log?: string
  /** The folder with chain.pem, key.pem and roots.pem: the gateway writes them, and reads them at /reload. */
  settings?: string
  /** The gateway has another root than that of the authorities, or it has no mailbox: the suite is to be that. */
  misses?: 'trust' | 'mailbox'
}

export interface Addresses {
  inbound: Endpoint
  submission: Endpoint
  /** The same with TLS from the beginning of the connection. */
  implicitTls: Endpoint
  /** MailHog's API, or where the suite is to take the mail. */
  mailbox: string
  /** An HTTP server: /retry?domain=, /queue, and /reload, which reads the files in `settings`. */
  commands: string
}

const DOMAIN = 'gateway.test'
const HOSTNAME = `mx.${DOMAIN}`

const {
  pki: folder,
  password,
  partner,
  resolver,
  mailboxHost,
  inbound,
  outbound,
  defect,
  retriesAfter,
  log,
  misses,
  settings,
} = JSON.parse(process.argv[2]!) as Served
process.on('disconnect', () => process.exit())

const SETTINGS = { chain: 'chain.pem', key: 'key.pem', roots: 'roots.pem' }

const pki = new Pki(readAuthorities(folder))
const identity = await pki.issue({ names: [HOSTNAME], usage: 'server' })
const gateway = await reference(defect === undefined ? {} : mutant(defect)).start({
  hostname: HOSTNAME,
  domain: DOMAIN,
  recipient: `inbox@${DOMAIN}`,
  sender: `probe@${DOMAIN}`,
  identity,
  trust: [await (misses === 'trust' ? new Pki() : pki).root()],
  sendersTrust: [await pki.root()],
  minVersion: 'TLSv1.2',
  inbound,
  outbound,
  users: [{ name: 'probe', password }],
  attempts: 1_000,
  network: { resolver: `127.0.0.1:${await names()}`, partnerPort: partner.port },
})
if (settings !== undefined) {
  const { flow } = gateway
  writeFileSync(join(settings, SETTINGS.chain), flow.identity.certificate)
  writeFileSync(join(settings, SETTINGS.key), flow.identity.key)
  writeFileSync(join(settings, SETTINGS.roots), flow.trust.join(''))
}
if (retriesAfter !== undefined)
  gateway.watch(event => {
    if (event?.kind === 'deferred')
      setTimeout(() => gateway.retry(event.recipient.split('@')[1]!), retriesAfter)
  })
/** By recipient. */
const queued = new Set<string>()
gateway.watch(event => {
  if (!event) return
  const { kind, recipient, reason } = event
  if (kind === 'deferred') queued.add(recipient)
  else queued.delete(recipient)
  const status = kind === 'delivered' ? 'sent' : kind
  tell(`postfix/smtp[7]: 4b: to=<${recipient}>, status=${status} (${reason})`)
})
function tell(line: string): void {
  if (log !== undefined) appendFileSync(log, `Nov 24 19:50:01 edge ${line}\n`)
}
const addresses: Addresses = {
  inbound: gateway.inbound,
  submission: gateway.submission,
  implicitTls: await implicitTls(),
  mailbox:
    misses === 'mailbox' ? `smtp://${textOf({ host: mailboxHost, port: partner.port })}` : await mailbox(),
  commands: await commands(),
}
process.send!(addresses)

/**
 * A name server that leads the gateway's own domain to the mailbox. Of other domains it asks `resolver`, or leads each to
 * the host of its connector.
 */
async function names(): Promise<number> {
  const server = createDns({
    udp: { type: 'udp4' as const },
    handle(request, send) {
      const response = Packet.createResponseFromRequest(request)
      const question = request.questions[0]!
      const own = question.name.endsWith(DOMAIN)
      if (!own && resolver) {
        void asked(resolver, request.toBuffer()).then(answer => send(answer))
        return
      }
      const { MX, A } = Packet.TYPE
      const answer = (data: object) =>
        response.answers.push(Packet.createResourceFromQuestion(question, { ttl: 0, ...data }))
      if (question.type === MX) answer({ exchange: `mx.${question.name}`, priority: 10 })
      else if (question.type === A) answer({ address: own ? mailboxHost : hostOf(question.name) })
      send(response)
    },
  })
  const { udp } = await server.listen({ udp: { port: 0, address: '127.0.0.1' } })
  return (udp as { port: number }).port
}

async function asked({ host, port }: Endpoint, question: Buffer): Promise<Buffer> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.send(question, port, host)
  const [answer] = (await once(socket, 'message')) as [Buffer]
  socket.close()
  return answer
}

const hostOf = (name: string): string => decisive(outbound, name)?.host ?? partner.host

/** RFC 8314 s3.3. The gateway itself has taken the TLS off: it takes all for unencrypted. */
async function implicitTls(): Promise<Endpoint> {
  const { host } = gateway.submission
  const server = createTlsServer({ key: identity.key, cert: identity.certificate }, client => {
    const inside = connect(gateway.submission)
    client.pipe(inside).pipe(client)
    for (const end of [client, inside]) end.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen({ host, port: 0 }, resolve))
  return { host, port: (server.address() as AddressInfo).port }
}

/** What an administrator can ask of the gateway. */
async function commands(): Promise<string> {
  const http = createServer(async ({ url }, response) => {
    const { pathname, searchParams } = new URL(url!, 'http://gateway')
    if (pathname === '/retry') await gateway.retry(searchParams.get('domain')!)
    if (pathname === '/reload') await reload()
    response.end([...queued].join('\n'))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

async function reload(): Promise<void> {
  const read = (name: string) => readFileSync(join(settings!, name), 'utf8')
  await gateway.change({
    ...gateway.flow,
    identity: { certificate: read(SETTINGS.chain), key: read(SETTINGS.key) },
    trust: read(SETTINGS.roots).split(/(?<=-----END CERTIFICATE-----\n)/),
  })
  tell('postfix/master[1]: reload -- version 3.10.13')
}

/** The part of MailHog's API that the suite uses. */
async function mailbox(): Promise<string> {
  const specs = await hostSpecs(
    pki,
    { domain: DOMAIN, maxConnections: Number.MAX_SAFE_INTEGER },
    () => mailboxHost,
  )
  const box = new Partner(DOMAIN, specs)
  const smtp = new PartnerServer()
  smtp.add(box.hosts[0]!)
  await smtp.listen({ host: mailboxHost, port: partner.port })
  const http = createServer(({ url }, response) => {
    const text = new URL(url!, 'http://mailbox').searchParams.get('query')!
    const items = box.messages
      .filter(({ content }) => content.includes(text))
      .map(({ content, from, to }) => ({ Raw: { Data: content.slice(0, -2), From: from, To: to } }))
      .reverse()
    response.end(JSON.stringify({ total: items.length, count: items.length, start: 0, items }))
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}
