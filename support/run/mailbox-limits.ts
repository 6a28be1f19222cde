import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import type { Run } from './run.ts'

/** Longest wait for a message that an ordinary mailbox has at once, in ms. */
const WAIT = 3_000
/** RFC 2045 s6.1. Whoever passes mail to a server without 8BITMIME encodes 8 bits so, or returns the mail: RFC 6152 s3. */
const ENCODED = /^Content-Transfer-Encoding: *(quoted-printable|base64)/im

/**
 * Finds out what the mailbox of a gateway file takes: mail with a null return path, and mail of 8 bits. Where the gateway
 * does not accept such mail inside TLS, or it does not arrive, the mailbox keeps the limits of MailHog.
 */
export async function findMailboxLimits(run: Run): Promise<void> {
  const { mailbox, gateways, lab, pki } = run
  if (!mailbox || gateways.source.kind !== 'external') return
  const { inbound, flow } = await gateways.with()
  const from = `sender@${lab.freshDomain(STRANGERS)}`
  const arrives = async (message: ReturnType<typeof compose>): ReturnType<Mailbox['find']> => {
    const options = { endpoint: inbound, hostname: flow.hostname, behaviour: { tls: 'uses' }, pki } as const
    const { accepted } = await handOver(message, options)
    return accepted ? mailbox.await(message.token, WAIT) : []
  }
  const to = [flow.recipient]
  const [withoutPath, eightBit] = await Promise.all([
    arrives(compose({ from: '', to })),
    arrives(compose({ from, to, text: '8-bit' })),
  ])
  mailbox.needsReturnPath = withoutPath.length === 0
  mailbox.sevenBitOnly = eightBit.length === 0 || eightBit.some(({ content }) => ENCODED.test(content))
}
