/**
 * The reference gateway in a process of its own, as a gateway that the suite did not start, for `external.test.ts`. The
 * first argument is `Served` as JSON. The process sends `Addresses` over IPC when it listens, and ends with its parent.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** A connector that may deliver to a host of its own, on the partner's port. */
export interface RoutedConnector extends OutboundConnector {
  host?: string
}

export interface Served {
  /** The folder with the authorities. */
  pki: string
  /** Where the gateway delivers mail, except for its own domain and for connectors with a host of their own. */
  partner: Endpoint
  /** The host to which the gateway delivers mail for its own domain, on the partner's port. */
  mailboxHost: string
  inbound: InboundConnector[]
  outbound: RoutedConnector[]
  /** The name of a mutant or an omission. Without it the gateway has no defect. */
  defect?: string
  /** The gateway tries deferred mail again after each such time, in ms. */
  retriesAfter?: number
}

export interface Addresses {
  inbound: Endpoint
  submission: Endpoint
  /** MailHog's API. */
  mailbox: string
}

const DOMAIN = 'gateway.test'
const HOSTNAME = `mx.${DOMAIN}`

const {
  pki: folder,
  partner,
  mailboxHost,
  inbound,
  outbound,
  defect,
  retriesAfter,
} = JSON.parse(process.argv[2]!) as Served
process.on('disconnect', () => process.exit())

const pki = new Pki(readAuthorities(folder))
const gateway = await reference(defect === undefined ? {} : mutant(defect)).start({
  hostname: HOSTNAME,
  domain: DOMAIN,
  recipient: `inbox@${DOMAIN}`,
  sender: `probe@${DOMAIN}`,
  identity: await pki.issue({ names: [HOSTNAME], usage: 'server' }),
  trust: [await pki.root()],
  sendersTrust: [await pki.root()],
  minVersion: 'TLSv1.2',
  inbound,
  outbound,
  users: [],
  attempts: 1_000,
  network: { resolver: `127.0.0.1:${await names()}`, partnerPort: partner.port },
})
if (retriesAfter !== undefined)
  gateway.watch(event => {
    if (event?.kind === 'deferred')
      setTimeout(() => gateway.retry(event.recipient.split('@')[1]!), retriesAfter)
  })
const addresses: Addresses = {
  inbound: gateway.inbound,
  submission: gateway.submission,
  mailbox: await mailbox(),
}
process.send!(addresses)

/** A name server that leads each domain to the host of its connector, and the gateway's own domain to the mailbox. */
async function names(): Promise<number> {
  const server = createDns({
    udp: { type: 'udp4' as const },
    handle(request, send) {
      const response = Packet.createResponseFromRequest(request)
      const question = request.questions[0]!
      const own = question.name === DOMAIN || question.name === HOSTNAME
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

const hostOf = (name: string): string => decisive(outbound, name)?.host ?? partner.host

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
