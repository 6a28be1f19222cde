import type { Service } from '../evidence/offer.ts'
import { putOff } from '../evidence/temporary-refusal.ts'
import type { Conversation } from '../wire/conversation.ts'
import type { Link } from '../wire/link.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { printable } from '../wire/printable.ts'
import { Recorder } from '../wire/recorder.ts'
import type { Reply } from '../wire/smtp/reply.ts'
import { addressOf, type Endpoint, SmtpClient, WireError } from '../wire/smtp/smtp.ts'
import { FlightReader, type ServerFlight } from '../wire/tls/server-flight.ts'
import { inPieces } from '../wire/write-in-pieces.ts'

/** Where a prober asks. */
export interface Target extends Endpoint {
  service: Service
  /** The name with which the prober greets. */
  helo: string
}

/** What came of one ClientHello. */
export type Answer =
  | ({ kind: 'chosen'; hello: NonNullable<ServerFlight['hello']> } & ServerFlight)
  | { kind: 'ssl2' }
  /** A fatal alert, in numbers. */
  | { kind: 'refused'; alert: number }
  /** The server closed in order, and sent no alert. */
  | { kind: 'closed' }
  /** Nothing is known. `forNow`: another time the server may answer. `broken`: the connection broke, as after a reset. */
  | { kind: 'unknown'; why: string; forNow?: true; broken?: true }

export type Unknown = Extract<Answer, { kind: 'unknown' }>

export interface Asked<T> {
  answer: T
  conversation: Conversation
}

/**
 * Sends the bytes of one ClientHello on a connection of its own, and reads the answer. Never throws for what the server
 * does.
 */
export const ask = (target: Target, hello: Buffer, about: string): Promise<Asked<Answer>> =>
  upToTls(target, about, (client, recorder) => {
    recorder.conversation.crafted = true
    return answerTo(hello, client.bareTls())
  })

/**
 * Opens a connection, goes on until TLS can begin, and lets `then` do the rest. `about`: what is asked. Never throws for
 * what the server does.
 */
export async function upToTls<T extends { kind: string }>(
  target: Target,
  about: string,
  then: (client: SmtpClient, recorder: Recorder) => Promise<T>,
): Promise<Asked<T | Unknown>> {
  const recorder = new Recorder({
    gatewayIs: 'receiver',
    sender: `probe: ${about}`,
    receiver: addressOf(target),
  })
  const { conversation } = recorder
  let client: SmtpClient
  try {
    client = await SmtpClient.connect(target, recorder)
  } catch (error) {
    return { answer: unknown(error), conversation }
  }
  try {
    const answer = (await untilTls(client, target)) ?? (await then(client, recorder))
    return { answer, conversation }
  } catch (error) {
    return { answer: unknown(error), conversation }
  } finally {
    client.close()
  }
}

function unknown(error: unknown): Unknown {
  if (!(error instanceof WireError)) throw error
  return { kind: 'unknown', why: error.message }
}

/** Says what comes before TLS. Gives an answer where it does not come to TLS. */
async function untilTls(client: SmtpClient, { service, helo }: Target): Promise<Unknown | undefined> {
  if (service === 'tls') return undefined
  const refusal = (reply: Reply, at: string): Unknown => {
    const forNow = putOff(reply, at) !== undefined
    return { kind: 'unknown', why: `${at} was answered with ${reply.text}`, ...(forNow ? { forNow } : {}) }
  }
  const greeting = await client.reply()
  if (greeting.code !== 220) return refusal(greeting, 'the connection')
  const verb = service === 'lmtp' ? 'LHLO' : 'EHLO'
  const ehlo = await client.command(`${verb} ${helo}`)
  if (ehlo.code !== 250) return refusal(ehlo, verb)
  const offered = ehlo.lines.some(line => line.toUpperCase() === 'STARTTLS')
  if (!offered) return { kind: 'unknown', why: 'STARTTLS is not offered' }
  const go = await client.command('STARTTLS')
  return go.code === 220 ? undefined : refusal(go, 'STARTTLS')
}

/** What a TCP segment holds on most paths, in bytes; the loopback interface would carry more. RFC 9293 s3.7.1. */
const SEGMENT = 1_220

function answerTo(hello: Buffer, link: Link): Promise<Answer> {
  const reader = new FlightReader()
  return new Promise(resolve => {
    const end = (answer: Answer) => {
      clearTimeout(timer)
      resolve(answer)
    }
    const timer = setTimeout(
      () => end({ kind: 'unknown', why: `no whole answer to a ClientHello within ${MAX_WAIT / 1000} s` }),
      MAX_WAIT,
    )
    link.on('data', (chunk: Buffer) => {
      reader.read(chunk)
      if (reader.done) end(answerIn(reader.flight))
    })
    link.on('end', () => end(ended(reader.flight)))
    link.on('error', error =>
      end({ kind: 'unknown', why: `the connection broke: ${printable(error.message, 200)}`, broken: true }),
    )
    link.on('close', () => end({ kind: 'unknown', why: 'the connection is gone' }))
    if (hello.length > SEGMENT) link.cutNext(inPieces(SEGMENT))
    link.write(hello)
  })
}

function answerIn(flight: ServerFlight): Answer {
  const { alert, malformed, hello, ssl2 } = flight
  if (malformed !== undefined)
    return { kind: 'unknown', why: `the answer to a ClientHello is malformed: ${malformed}` }
  if (alert !== undefined) return { kind: 'refused', alert }
  if (ssl2) return { kind: 'ssl2' }
  return { ...flight, kind: 'chosen', hello: hello! }
}

const ended = (flight: ServerFlight): Answer =>
  flight.hello ? { kind: 'unknown', why: 'the connection ended within the answer' } : { kind: 'closed' }
