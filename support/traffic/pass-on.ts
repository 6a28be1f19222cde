import type { PassedOn } from '../evidence/sent.ts'
import { hostSpecs } from '../lab/lab.ts'
import { Partner } from '../lab/partner/partner.ts'
import { PartnerServer } from '../lab/partner/partner-server.ts'
import type { Pki } from '../pki/pki.ts'
import { snapshotOf } from '../wire/conversation.ts'
import { call } from './deliver-message.ts'

/** The partner passes a message on, in the clear, to a server of its own. Both ends are the lab's, on loopback. */
export async function passOn(pki: Pki, partner: Partner, content: string): Promise<PassedOn> {
  const server = new PartnerServer()
  await server.listen({ host: '127.0.0.1', port: 0 })
  try {
    const domain = `behind.${partner.domain}`
    const behind = new Partner(domain, await hostSpecs(pki, { domain }, () => '127.0.0.1'))
    const [host] = behind.hosts
    server.addForAll(host)
    const sender = partner.hosts[0]!.hostname
    const client = await call({ host: '127.0.0.1', port: server.port }, { sender, receiver: host!.hostname })
    await client.reply()
    for (const command of [`EHLO ${sender}`, 'MAIL FROM:<>', `RCPT TO:<inbox@${domain}>`, 'DATA'])
      await client.command(command)
    await client.content(content)
    await client.quit()
    const [message] = behind.messages
    return {
      domain,
      ...(message ? { message } : {}),
      conversations: [...behind.conversations, client.recorder.conversation].map(snapshotOf),
    }
  } finally {
    await server.stop()
  }
}
