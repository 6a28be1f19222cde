import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { Pki } from '../pki/pki.ts'
import type { Conversation } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { opensslName } from '../wire/tls-names.ts'
import type { Behaviour, PartnerTls } from './behaviour.ts'
import { Names } from './names.ts'
import { Partner, type PartnerHost } from './partner.ts'
import { PartnerSession } from './partner-session.ts'

/** More connections than this to one partner host are closed unread: a gateway in a loop must not drown the run. */
const MAX_CONNECTIONS_PER_HOST = 200

export interface PartnerOptions {
  domain: string
  /** One entry per mail exchanger, in order of preference. Default: one well-behaved host. */
  hosts?: Behaviour[]
  /** Host names in place of mx.DOMAIN, mx2.DOMAIN, … */
  hostnames?: string[]
}

/**
 * Everything around a gateway that runs without containers: partners on 127.0.0.0/8, one listening server for all of
 * them, and the DNS that leads to them. A partner is a map entry; which one a connection means is told by the local
 * address that was dialled.
 */
export class Lab {
  readonly pki: Pki
  readonly #names = new Names()
  readonly #hosts = new Map<string, PartnerHost>()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #nextAddress = 1
  #nextName = 1
  port = 0
  dnsPort = 0
  /** Connections that no partner was made for. They count for nothing and are reported. */
  strays = 0

  constructor(pki: Pki) {
    this.pki = pki
  }

  async start(): Promise<void> {
    // On every address, because only so one socket serves all of 127.0.0.0/8; other networks are turned away below.
    const server = createServer(socket => this.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: '0.0.0.0', port: 0, backlog: 1024 }, resolve)
    })
    this.#server = server
    this.port = (server.address() as { port: number }).port
    this.dnsPort = await this.#names.start()
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all([
      new Promise<void>(resolve => (this.#server ? this.#server.close(() => resolve()) : resolve())),
      this.#names.stop(),
    ])
  }

  /** A domain that nothing else in this run uses, under a connector's pattern such as `*.forced.test`. */
  freshDomain(pattern: string): string {
    return pattern.replace('*', `d${this.#nextName++}-${randomBytes(2).toString('hex')}`)
  }

  async partner({ domain, hosts = [{}], hostnames = [] }: PartnerOptions): Promise<Partner> {
    const partner = new Partner(
      domain,
      hosts.map((behaviour, i) => ({
        hostname: hostnames[i] ?? `mx${i ? i + 1 : ''}.${domain}`,
        address: this.#address(),
        preference: 10 * (i + 1),
        behaviour,
      })),
    )
    for (const host of partner.hosts) this.#hosts.set(host.address, host)
    this.#names.setMx(domain, partner.hosts)
    return partner
  }

  /** 127.64.0.1 and up: clear of the addresses that other programs use. */
  #address(): string {
    const n = this.#nextAddress++
    return `127.${64 + (n >> 16)}.${(n >> 8) & 0xff}.${n & 0xff}`
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const host = this.#hosts.get(socket.localAddress ?? '')
    if (!host || host.connections >= MAX_CONNECTIONS_PER_HOST) {
      this.strays++
      socket.destroy()
      return
    }
    const { partner } = host
    const behaviour = host.next()
    const recorder = new Recorder({
      gatewayIs: 'sender',
      sender: 'gateway',
      receiver: host.hostname,
      onEvent: () => partner.changed(),
    })
    partner.conversations.push(recorder.conversation as Conversation)
    new PartnerSession(socket, {
      hostname: host.hostname,
      behaviour,
      recorder,
      tls: () => this.#tls(host, behaviour.tls ?? {}),
      onMessage: message => {
        partner.messages.push({ ...message, host: host.hostname })
        partner.changed()
      },
    })
  }

  async #tls({ hostname, partner }: PartnerHost, tls: PartnerTls): Promise<TlsOptions> {
    const identity = await this.pki.issue({
      names: tls.names ?? [partner.domain, hostname],
      usage: 'server',
      ...(tls.authority ? { authority: tls.authority } : {}),
      ...(tls.presents ? { flaw: tls.presents } : {}),
    })
    const old = tls.maxVersion === 'TLSv1' || tls.maxVersion === 'TLSv1.1' || tls.minVersion === 'TLSv1'
    const suites = tls.suites?.map(opensslName).join(':')
    return {
      key: identity.key,
      cert: identity.certificate,
      minVersion: tls.minVersion ?? (old ? 'TLSv1' : 'TLSv1.2'),
      ...(tls.maxVersion ? { maxVersion: tls.maxVersion } : {}),
      // Level 0 lets the partner speak old versions and show weak certificates; what is agreed is then up to the gateway.
      ciphers: `${suites ?? 'DEFAULT'}${old || tls.presents || suites ? ':@SECLEVEL=0' : ''}`,
      honorCipherOrder: !tls.followsSender,
      ...(tls.clientCertificate
        ? {
            requestCert: true,
            rejectUnauthorized: tls.clientCertificate === 'requires',
            ca: [await this.pki.root()],
          }
        : {}),
    }
  }
}
