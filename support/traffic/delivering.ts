import { setTimeout as pause } from 'node:timers/promises'
import type { Handover, Stage } from '../evidence/handover.ts'
import type { Message } from '../evidence/mail.ts'
import type { TlsVersion } from '../lab/partner/behaviour.ts'
import type { CertificateFlaw } from '../pki/flaws.ts'
import type { Identity, Pki } from '../pki/pki.ts'
import { snapshotOf } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import { type Endpoint, type Reply, SmtpClient, WireError } from '../wire/smtp/smtp.ts'

/** Long enough for half a message to be read by the gateway, in ms. */
const UNDER_WAY = 50

/** How the partner behaves where it sends, as data. */
export interface SenderBehaviour {
  tls: 'uses' | 'does not use' | 'falls back to clear'
  maxVersion?: TlsVersion
  /** The certificate that it shows; absent: none. */
  certificate?: { names: string[]; flaws?: readonly CertificateFlaw[] }
  /** Its name in EHLO, in place of one below its domain. */
  greetsAs?: string
  /** Before its own, another sender's MAIL, which RSET takes back. */
  beginsAs?: string
  inCapitals?: boolean
  /** Leaves politely after the reply to this command. */
  leavesAt?: 'MAIL'
  /** Cuts the TCP connection in the middle of the content, without close_notify. */
  cuts?: boolean
}

/** A connection to the gateway as one of its senders, with its record. */
export async function call(
  endpoint: Endpoint,
  names: { sender: string; receiver: string },
): Promise<SmtpClient> {
  const recorder = new Recorder({ gatewayIs: 'receiver', ...names })
  return SmtpClient.connect(endpoint, recorder)
}

export interface HandoverOptions {
  endpoint: Endpoint
  /** The gateway's name, for SNI and the record. */
  hostname: string
  behaviour: SenderBehaviour
  pki: Pki
}

/** Delivers as a mail server does. What the gateway does wrong ends in the result and is never thrown. */
export async function handOver(message: Message, options: HandoverOptions): Promise<Handover> {
  const { tls } = options.behaviour
  const first = await attempt(message, options, tls !== 'does not use')
  const attempts = [first]
  if (tls === 'falls back to clear' && first.stage === 'handshake')
    attempts.push(await attempt(message, options, false))
  const conversations = attempts.flatMap(one => one.conversations).map(snapshotOf)
  return { ...attempts.at(-1)!, conversations }
}

async function attempt(message: Message, options: HandoverOptions, tls: boolean): Promise<Handover> {
  const domain = message.from.split('@')[1] ?? 'nobody.test'
  const { greetsAs: sender = `mail.${domain}`, beginsAs, leavesAt } = options.behaviour
  const recorder = new Recorder({ gatewayIs: 'receiver', sender, receiver: options.hostname })
  const { conversation } = recorder
  const result = { message, conversations: [conversation], stage: 'connection' as Stage, accepted: false }
  let client: SmtpClient | undefined
  try {
    client = await SmtpClient.connect(options.endpoint, recorder)
    const at = async (stage: Stage, reply: () => Promise<Reply>, good: number) => {
      result.stage = stage
      client?.inStep()
      const got = await reply()
      Object.assign(result, { reply: got })
      return Math.floor(got.code / 100) === good
    }
    const smtp = client
    const command = (stage: Stage, line: string, good = 2) => at(stage, () => smtp.command(line), good)
    result.stage = 'greeting'
    const greeting = await smtp.reply()
    Object.assign(result, { reply: greeting })
    if (Math.floor(greeting.code / 100) !== 2) return result
    if (!(await command('EHLO', `EHLO ${sender}`))) return result
    if (tls) {
      if (!(await command('STARTTLS', 'STARTTLS'))) return result
      result.stage = 'handshake'
      await smtp.startTls(await clientTls(options))
      if (!(await command('EHLO', `EHLO ${sender}`))) return result
    }
    if (beginsAs && !(await command('MAIL', `MAIL FROM:<${beginsAs}>`))) return result
    if (beginsAs && !(await command('MAIL', 'RSET'))) return result
    if (!(await command('MAIL', `MAIL FROM:<${message.from}>`)) || leavesAt) return result
    for (const to of message.to) if (!(await command('RCPT', `RCPT TO:<${to}>`))) return result
    if (!(await command('DATA', 'DATA', 3))) return result
    if (options.behaviour.cuts) {
      smtp.write(message.content.slice(0, message.content.length / 2), 'half of the message')
      // A reset overtakes what has not left yet: the gateway must have the half in hand.
      await pause(UNDER_WAY)
      smtp.cut()
      result.stage = 'content'
      return { ...result, breakdown: { kind: 'closed', detail: 'cut by the sender' } }
    }
    result.accepted = await at('content', () => smtp.content(message.content), 2)
    return result
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    // Nobody is there to part from.
    client?.close()
    const { reply: _, ...rest } = result as Handover
    return { ...rest, breakdown: { kind: error.breakdown, detail: error.message } }
  } finally {
    if (client) await client.quit()
  }
}

async function clientTls({ behaviour, hostname, pki }: HandoverOptions) {
  const { certificate, maxVersion } = behaviour
  const old = maxVersion === 'TLSv1' || maxVersion === 'TLSv1.1'
  const identity: Identity | undefined =
    certificate &&
    (await pki.issue({
      names: certificate.names,
      usage: 'client',
      ...(certificate.flaws ? { flaws: certificate.flaws } : {}),
    }))
  return {
    servername: hostname,
    ...(identity ? { identity } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    // Below TLS 1.2 OpenSSL wants security level 0.
    ...(old ? { minVersion: 'TLSv1' as const, ciphers: 'ALL:@SECLEVEL=0' } : {}),
  }
}
