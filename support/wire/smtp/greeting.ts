import { comeAgain } from '../come-again.ts'
import { Recorder } from '../recorder.ts'
import { type Endpoint, SmtpClient, WireError } from './smtp.ts'

/** Whether a server greets with 220 on a new connection. Never throws for what the server does. */
export async function greets(endpoint: Endpoint): Promise<boolean> {
  return (await whyNoGreeting(endpoint)) === undefined
}

/** What a server does on a new connection instead of greeting with 220, also when the client comes again; nothing where it greets with 220. */
export async function whyNoGreeting(endpoint: Endpoint): Promise<string | undefined> {
  return (await calledAgain(endpoint)).why
}

/** Whether the server may greet another time: `why` as `whyNoGreeting` says it. RFC 5321 s4.2.1. */
export const isForAnotherTime = (why: string): boolean => why.startsWith('it greets with 4')

/** How long a server takes for a connection on which it only greets, in ms. The pauses before the client comes again do not count. */
export async function timeToGreet(endpoint: Endpoint): Promise<number> {
  return (await calledAgain(endpoint)).time
}

async function calledAgain(endpoint: Endpoint): Promise<{ why: string | undefined; time: number }> {
  const call = async () => {
    const began = performance.now()
    const why = await greetingOf(endpoint)
    return { why, time: performance.now() - began }
  }
  return (await comeAgain(endpoint, call, ({ why }) => why !== undefined && isForAnotherTime(why))).last
}

async function greetingOf(endpoint: Endpoint): Promise<string | undefined> {
  const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: endpoint.host })
  try {
    const client = await SmtpClient.connect(endpoint, recorder)
    try {
      const { code, text } = await client.reply()
      return code === 220 ? undefined : `it greets with ${text}`
    } finally {
      await client.quit()
    }
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}
