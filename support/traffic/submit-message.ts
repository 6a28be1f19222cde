import type { Message } from '../evidence/mail.ts'
import { isForNow, mayAcceptSoon } from '../evidence/temporary-refusal.ts'
import type { SubmitTls } from '../gateway/login.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { comeAgain } from '../wire/come-again.ts'
import type { Conversation } from '../wire/conversation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { Recorder } from '../wire/recorder.ts'
import { withULabels } from '../wire/smtp/a-labels.ts'
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

/** A user of the gateway who may submit messages. */
type User = MailFlow['users'][number]

/** A connection is used again only where it took longer than this to get one, in ms. */
const SLOW = 0.1 * MAX_WAIT
/** Many gateways send only the first few messages of a connection at once: Exim the first ten. */
const MESSAGES = 5

/** A connection that is ready for a message. */
interface Ready {
  client: SmtpClient
  messages: number
}

/**
 * Submits messages that the gateway is to send, as a user who logs in inside TLS where the gateway demands a login. Each
 * message has a connection of its own unless the gateway is slow to give one. Where the gateway refuses for now, the user
 * comes again. Throws WireError when the gateway does not speak SMTP at this address.
 */
export class Submission {
  readonly #to: Endpoint
  readonly #hostname: string
  readonly #user: User | undefined
  readonly #tls: SubmitTls | undefined
  /** On which QUIT was said. Nobody waits for the answer. */
  readonly #parting = new Set<SmtpClient>()

  readonly #idle: Ready[] = []

  /** `tls` absent: STARTTLS where a user logs in or a message asks for it. */
  constructor(to: Endpoint, hostname: string, { user, tls }: { user?: User; tls?: SubmitTls } = {}) {
    this.#to = to
    this.#hostname = hostname
    this.#user = user
    this.#tls = tls
  }

  /** The first reply that refuses the message, or the one that accepts it. With `tls` the conversation too. */
  async submit(message: Message, tls?: ClientTls): Promise<{ reply: Reply; conversation?: Conversation }> {
    const attempt = async () => {
      const ready = tls || message.uLabels ? undefined : await this.#usable()
      return ready ? { reply: await this.#use(ready, message) } : this.#onNewConnection(message, tls)
    }
    return (await comeAgain(this.#to, attempt, ({ reply }) => mayAcceptSoon(reply, 'submission'))).last
  }

  async #onNewConnection(message: Message, tls?: ClientTls) {
    const recorder = new Recorder({ gatewayIs: 'receiver', sender: NAME, receiver: this.#hostname })
    const began = performance.now()
    const client = await SmtpClient.connect(this.#to, recorder)
    const { refusal, ehlo } = await closedOnFailure(client, () => this.#begin(client, tls))
    if (message.uLabels && ehlo && !ehlo.lines.some(line => line.toUpperCase() === 'SMTPUTF8')) {
      void this.#part(client)
      throw new WireError('unexpected answer', 'SMTPUTF8 is not offered')
    }
    const isSlow = performance.now() - began > SLOW
    if (!refusal && isSlow && !tls) return { reply: await this.#use({ client, messages: 0 }, message) }
    const reply = refusal ?? (await closedOnFailure(client, () => transaction(client, message)))
    const parted = this.#part(client)
    if (!tls) return { reply }
    await parted
    return { reply, conversation: recorder.conversation }
  }

  /** An idle connection on which the gateway still answers. */
  async #usable(): Promise<Ready | undefined> {
    for (let ready = this.#idle.pop(); ready; ready = this.#idle.pop()) {
      const { client } = ready
      try {
        client.renew()
        if ((await client.command('RSET')).code === 250) return ready
      } catch (error) {
        if (!(error instanceof WireError)) throw error
      }
      client.close()
    }
    return undefined
  }

  async #use({ client, messages }: Ready, message: Message): Promise<Reply> {
    const reply = await closedOnFailure(client, () => transaction(client, message))
    if (reply.code < 300 && messages + 1 < MESSAGES) this.#idle.push({ client, messages: messages + 1 })
    else void this.#part(client)
    return reply
  }

  async #part(client: SmtpClient): Promise<void> {
    this.#parting.add(client)
    await client.quit()
    this.#parting.delete(client)
  }

  close(): void {
    for (const client of this.#parting) client.close()
    for (const { client } of this.#idle.splice(0)) client.close()
  }

  /** From the greeting to the login. The reply that refuses the user for now, or the last one to EHLO. */
  async #begin(client: SmtpClient, tls?: ClientTls): Promise<{ refusal?: Reply; ehlo?: Reply }> {
    const greeting = await client.reply()
    if (greeting.code >= 400) return { refusal: greeting }
    let ehlo = await client.command(`EHLO ${NAME}`)
    if (!client.secured && (tls || this.#user || this.#tls === 'starttls')) {
      const reply = await client.command('STARTTLS')
      if (isForNow(reply, 'STARTTLS')) return { refusal: reply }
      if (reply.code !== 220)
        throw new WireError('unexpected answer', `no STARTTLS for submission: ${reply.text}`)
      await client.startTls({ ...tls, servername: this.#hostname })
      ehlo = await client.command(`EHLO ${NAME}`)
    }
    if (this.#user) await logIn(client, this.#user)
    return { ehlo }
  }
}

async function logIn(client: SmtpClient, { name, password }: User): Promise<void> {
  if (!client.secured) throw new Error('a user logs in inside TLS alone')
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
    const rcpt = await client.command(`RCPT TO:<${message.uLabels ? withULabels(to) : to}>`)
    if (rcpt.code >= 300) return rcpt
  }
  const data = await client.command('DATA')
  if (data.code !== 354) return data
  client.inStep()
  return client.content(message.content)
}
