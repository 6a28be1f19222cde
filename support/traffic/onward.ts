import { hostSpecs } from '../lab/lab.ts'
import { Partner } from '../lab/partner/partner.ts'
import { PartnerServer } from '../lab/partner/partner-server.ts'
import type { Pki } from '../pki/pki.ts'
import type { Conversation } from '../wire/conversation.ts'
import { call } from './delivering.ts'

/** The server behind a partner, and the connection over which it got a message. */
export interface Onward {
  behind: Partner
  conversation: Conversation
}

/** A partner passes a message on in clear to a server of its own. Both ends are ours, so this stays on loopback. */
export async function passOn(pki: Pki, partner: Partner, content: string): Promise<Onward> {
  const server = new PartnerServer()
  await server.start({ host: '127.0.0.1', port: 0 })
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
    return { behind, conversation: client.recorder.conversation }
  } finally {
    await server.stop()
  }
}
