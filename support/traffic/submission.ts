import type { Message } from '../evidence/mail.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Conversation } from '../wire/conversation.ts'
import { Recorder } from '../wire/recorder.ts'
import {
  authPlain,
  type ClientTls,
  type Endpoint,
  type Reply,
  SmtpClient,
  WireError,
} from '../wire/smtp/smtp.ts'
import { mailCommand } from './envelope.ts'

const NAME = 'probe.gateway.test'
/** After so many recorded events a connection is not used again, well before its record is full. */
const MAX_USE = 200

/** A user of the gateway who may submit messages. */
type User = MailFlow['users'][number]

/**
 * Submits messages that the gateway is to send, as a user who logs in inside TLS where the gateway demands a login.
 * Connections that need no record are used again: examples judge what the gateway does on its other side. Throws
 * WireError when the gateway does not speak SMTP at this address.
 */
export class Submission {
  readonly #to: Endpoint
  readonly #hostname: string
  readonly #user: User | undefined
  readonly #idle: SmtpClient[] = []

  constructor(to: Endpoint, hostname: string, user?: User) {
    this.#to = to
    this.#hostname = hostname
    this.#user = user
  }

  /** The first reply that refuses the message, or the one that accepts it. With `tls` the conversation too. */
  async submit(message: Message, tls?: ClientTls): Promise<{ reply: Reply; conversation?: Conversation }> {
    if (tls) {
      const client = await this.#connect(tls)
      const reply = await closedOnFailure(client, () => transaction(client, message))
      await client.quit()
      return { reply, conversation: client.recorder.conversation }
    }
    return { reply: await this.#reuse((await this.#usable()) ?? (await this.#connect()), message) }
  }

  /** An idle connection on which the gateway still answers; the gateway may have closed others meanwhile. */
  async #usable(): Promise<SmtpClient | undefined> {
    for (let client = this.#idle.pop(); client; client = this.#idle.pop()) {
      try {
        client.renew()
        if ((await client.command('RSET')).code === 250) return client
      } catch (error) {
        if (!(error instanceof WireError)) throw error
      }
      client.close()
    }
    return undefined
  }

  async #reuse(client: SmtpClient, message: Message): Promise<Reply> {
    const reply = await closedOnFailure(client, () => transaction(client, message))
    const worn = client.recorder.conversation.events.length > MAX_USE
    if (reply.code < 300 && !worn) this.#idle.push(client)
    else await client.quit()
    return reply
  }

  async #connect(tls?: ClientTls): Promise<SmtpClient> {
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: NAME, receiver: this.#hostname })
    const client = await SmtpClient.connect(this.#to, recorder)
    return closedOnFailure(client, async () => {
      await client.reply()
      await client.command(`EHLO ${NAME}`)
      if (tls || this.#user) {
        const reply = await client.command('STARTTLS')
        if (reply.code !== 220)
          throw new WireError('unexpected answer', `no STARTTLS for submission: ${reply.text}`)
        await client.startTls({ ...tls, servername: this.#hostname })
        await client.command(`EHLO ${NAME}`)
      }
      if (this.#user) await logIn(client, this.#user)
      return client
    })
  }

  close(): void {
    for (const client of this.#idle.splice(0)) client.close()
  }
}

async function logIn(client: SmtpClient, { name, password }: User): Promise<void> {
  const reply = await client.command(authPlain(name, password))
  if (reply.code !== 235) throw new WireError('unexpected answer', `no login for submission: ${reply.text}`)
}

/** Closes the connection where `work` fails: the connection is of no use, and the gateway might go on talking. */
async function closedOnFailure<T>(client: SmtpClient, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    client.close()
    throw error
  }
}

async function transaction(client: SmtpClient, message: Message): Promise<Reply> {
  client.inStep()
  const mail = await client.command(mailCommand(message, {}))
  if (mail.code >= 300) return mail
  for (const to of message.to) {
    const rcpt = await client.command(`RCPT TO:<${to}>`)
    if (rcpt.code >= 300) return rcpt
  }
  const data = await client.command('DATA')
  if (data.code !== 354) return data
  client.inStep()
  return client.content(message.content)
}
