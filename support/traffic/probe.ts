import { lookup } from 'node:dns/promises'
import { PROBES, REFUSED, type Strength } from '../evidence/offer.ts'
import type { Pki } from '../pki/pki.ts'
import type { Conversation } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { type ClientTls, type Endpoint, SmtpClient, WireError } from '../wire/smtp/smtp.ts'

/** All addresses of a host that the system's resolver knows, those of IPv6 too. */
export async function addressesOf({ host, port }: Endpoint): Promise<Endpoint[]> {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => ({ host: address, port }))
}

/** Probes the TLS of one address. `hostname`: the name that its certificate should have. Never throws for what the server does. */
export async function strengthAt(
  endpoint: Endpoint,
  { hostname, pki }: { hostname: string; pki: Pki },
): Promise<Strength> {
  const { host, port } = endpoint
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const outcomes: Record<string, string> = {}
  const conversations: Conversation[] = []
  const trust = [await pki.root()]
  for (const [probe, { tls }] of Object.entries(PROBES)) {
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: `probe: ${probe}`, receiver: address })
    conversations.push(recorder.conversation)
    try {
      outcomes[probe] = await outcomeOf(endpoint, recorder, { ...tls, servername: hostname, trust })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      if (error.breakdown === 'no connection') return { address, outcomes, conversations, absent: true }
      if (error.breakdown === 'no answer')
        return { address, outcomes, conversations, unanswered: error.message }
      outcomes[probe] = `${REFUSED} (${error.breakdown})`
    }
  }
  return { address, outcomes, conversations }
}

async function outcomeOf(endpoint: Endpoint, recorder: Recorder, tls: ClientTls): Promise<string> {
  const client = await SmtpClient.connect(endpoint, recorder)
  try {
    await client.reply()
    await client.command('EHLO probe.gateway.test')
    const { code } = await client.command('STARTTLS')
    if (code !== 220) return `${REFUSED} (STARTTLS: ${code})`
    await client.startTls(tls)
    const { version, suite, group, serverCertificate } = recorder.handshake
    const named = serverCertificate?.names.some(name => name.toLowerCase() === tls.servername!.toLowerCase())
    const certificate = client.chainError ?? (named ? 'good' : 'of another name')
    return [version, suite, group, `certificate ${certificate}`].filter(Boolean).join(', ')
  } finally {
    await client.quit()
  }
}
