import type { X509Certificate } from 'node:crypto'
import { Recorder } from '../recorder.ts'
import { type Endpoint, SmtpClient, WireError } from './smtp.ts'

/** What a server shows when TLS begins. */
export interface Shown {
  /** The server's own certificate first, as they were sent. */
  certificates: X509Certificate[]
  /** The OCSP answer that came with it. */
  status?: Buffer
  version: string
}

/** Port of SMTP with TLS from its first byte: RFC 8314 s3.3. */
const IMPLICIT_PORT = 465

/** Old versions and weak keys too: the certificate is to be seen, whatever it is. */
const ANY = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const

/** Begins TLS with a mail server: at once on port 465, with STARTTLS on all others. Throws WireError. */
export async function shownBy(endpoint: Endpoint, servername = endpoint.host): Promise<Shown> {
  const recorder = new Recorder({ gatewayIs: 'receiver', sender: 'mail-tls', receiver: endpoint.host })
  const client = await SmtpClient.connect(endpoint, recorder)
  try {
    if (endpoint.port !== IMPLICIT_PORT) await askForTls(client)
    await client.startTls({ servername, asksForStatus: true, ...ANY })
    const { certificates } = recorder
    const { status } = client
    if (certificates.length === 0) throw new WireError('unexpected answer', 'it shows no certificate')
    const { version = 'TLS' } = recorder.handshake
    return { certificates, ...(status ? { status } : {}), version }
  } finally {
    await client.quit()
  }
}

async function askForTls(client: SmtpClient): Promise<void> {
  const greeting = await client.reply()
  if (greeting.code !== 220) throw new WireError('unexpected answer', `it greets with ${greeting.text}`)
  const ehlo = await client.command('EHLO mail-tls.invalid')
  if (ehlo.code !== 250) throw new WireError('unexpected answer', `it answers EHLO with ${ehlo.text}`)
  if (!ehlo.lines.some(line => line.toUpperCase() === 'STARTTLS'))
    throw new WireError('unexpected answer', 'it does not offer STARTTLS')
  const go = await client.command('STARTTLS')
  if (go.code !== 220) throw new WireError('unexpected answer', `it answers STARTTLS with ${go.text}`)
}
