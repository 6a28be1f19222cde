import { Recorder } from '../wire/recorder.ts'
import { type Endpoint, SmtpClient, WireError } from '../wire/smtp.ts'

/** Whether a server greets with 220 on a new connection. Never throws for what the server does. */
export async function greets(endpoint: Endpoint): Promise<boolean> {
  const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'probe', receiver: endpoint.host })
  try {
    const client = await SmtpClient.connect(endpoint, recorder)
    try {
      return (await client.reply()).code === 220
    } finally {
      await client.quit()
    }
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}
