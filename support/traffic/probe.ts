import { lookup } from 'node:dns/promises'
import { PROBES, REFUSED, type Strength } from '../evidence/offer.ts'
import { putOff } from '../evidence/temporary-refusal.ts'
import { comeAgain } from '../wire/come-again.ts'
import type { Conversation } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { addressOf, type ClientTls, type Endpoint, SmtpClient, WireError } from '../wire/smtp/smtp.ts'

/** All addresses of a host that the system's resolver knows, those of IPv6 too. */
export async function addressesOf({ host, port }: Endpoint): Promise<Endpoint[]> {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => ({ host: address, port }))
}

/** Probes the TLS of one address. `hostname` and `trust`: of a good certificate, roots in PEM. Never throws for what the server does. */
export async function strengthAt(
  endpoint: Endpoint,
  { hostname, trust }: { hostname: string; trust: readonly string[] },
): Promise<Strength> {
  const address = addressOf(endpoint)
  const outcomes: Record<string, string> = {}
  const conversations: Conversation[] = []
  for (const [probe, { tls }] of Object.entries(PROBES)) {
    const attempt = async (): Promise<Outcome> => {
      const recorder = new Recorder({ gatewayIs: 'receiver', sender: `probe: ${probe}`, receiver: address })
      conversations.push(recorder.conversation)
      return outcomeOf(endpoint, recorder, { ...tls, servername: hostname, trust })
    }
    try {
      const { last } = await comeAgain(endpoint, attempt, ({ putOff }) => putOff !== undefined)
      if (last.putOff !== undefined) return { address, outcomes, conversations, unanswered: last.putOff }
      outcomes[probe] = last.outcome
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

/** What came of a probe, or why it says nothing. */
type Outcome = { outcome: string; putOff?: undefined } | { putOff: string }

async function outcomeOf(endpoint: Endpoint, recorder: Recorder, tls: ClientTls): Promise<Outcome> {
  const client = await SmtpClient.connect(endpoint, recorder)
  try {
    const greeting = await client.reply()
    const ehlo = greeting.code === 220 ? await client.command('EHLO probe.gateway.test') : greeting
    if (ehlo.code !== 250) return { putOff: putOff(ehlo, 'greeting') ?? `it greets with ${ehlo.text}` }
    const offered = ehlo.lines.some(line => line.toUpperCase() === 'STARTTLS')
    const go = await client.command('STARTTLS')
    const excuse = offered && putOff(go, 'STARTTLS')
    if (excuse) return { putOff: excuse }
    if (go.code !== 220) return { outcome: `${REFUSED} (STARTTLS: ${go.code})` }
    await client.startTls(tls)
    const { version, suite, group, serverCertificate } = recorder.handshake
    const named = serverCertificate?.names.some(name => name.toLowerCase() === tls.servername!.toLowerCase())
    const certificate = client.chainError ?? (named ? 'good' : 'of another name')
    return { outcome: [version, suite, group, `certificate ${certificate}`].filter(Boolean).join(', ') }
  } finally {
    await client.quit()
  }
}
