import type { TlsOptions } from 'node:tls'
import { Peer } from './peer.ts'

export interface Taken {
  from: string
  to: string[]
  content: string
}

/** What becomes of one command; `more` goes on, `over` has ended the session by itself. */
export type Answer = (
  peer: Peer,
  line: string,
) => Promise<'more' | 'over' | undefined> | 'more' | 'over' | undefined

export interface Receiving {
  tls: TlsOptions
  greeting?: string
  /** Answers in place of the usual ones, by verb; nothing returned: the usual answer follows. */
  answers?: Partial<Record<string, Answer>>
  /** In place of the usual handshake, after the go-ahead. */
  handshake?: (peer: Peer) => Promise<void>
  /** Domains that are not let in without TLS. */
  requires?: RegExp
  onMessage?: (taken: Taken) => void
}

/** A well-behaved receiver, but for what it is told. */
export async function receive(peer: Peer, options: Receiving): Promise<void> {
  const { answers = {}, requires = /@[^@]*\.required\.test$/ } = options
  let from = ''
  let to: string[] = []
  peer.say(options.greeting ?? '220 mx.gateway.test ESMTP')
  for (;;) {
    const line = await peer.line()
    const verb =
      line.trim().slice(0, 8).toUpperCase() === 'STARTTLS' ? 'STARTTLS' : line.slice(0, 4).toUpperCase()
    const other = await (answers[verb] ?? answers['*'])?.(peer, line)
    if (other === 'over') return
    if (other === 'more') continue
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    switch (verb) {
      case 'EHLO':
        peer.say('250-mx.gateway.test', ...(peer.secured ? [] : ['250-STARTTLS']), '250 8BITMIME')
        break
      case 'STARTTLS':
        if (peer.secured) peer.say('503 5.5.1 TLS is on')
        else if (line.trim().length > 8) peer.say('501 5.5.4 No parameter')
        else {
          peer.say('220 2.0.0 Go ahead')
          peer.forget()
          if (options.handshake) return await options.handshake(peer)
          await peer.serveTls(options.tls)
          from = ''
          to = []
        }
        break
      case 'MAIL':
        if (!peer.secured && requires.test(address)) peer.say('530 5.7.0 TLS first')
        else {
          from = address
          peer.say('250 2.1.0 Sender noted')
        }
        break
      case 'RCPT':
        if (!from) peer.say('503 5.5.1 MAIL first')
        else {
          to.push(address)
          peer.say('250 2.1.5 Recipient noted')
        }
        break
      case 'DATA': {
        peer.say('354 Go on')
        const lines: string[] = []
        for (let text = await peer.line(); text !== '.'; text = await peer.line())
          lines.push(text.startsWith('.') ? text.slice(1) : text)
        options.onMessage?.({ from, to, content: `${lines.join('\r\n')}\r\n` })
        from = ''
        to = []
        if ((await answers['dot']?.(peer, '')) === 'over') return
        peer.say('250 2.0.0 Taken')
        break
      }
      case 'QUIT':
        peer.say('221 2.0.0 Bye')
        peer.end()
        return
      default:
        peer.say('250 2.0.0 Yes')
    }
  }
}

/** A well-behaved delivery to the suite's partner: TLS where it is offered, clear only where that is allowed. */
export async function deliver(port: number, { from, to, content }: Taken): Promise<void> {
  const peer = Peer.call(port)
  if ((await peer.reply()) !== 220) return peer.end()
  peer.say('EHLO gateway.test')
  let offered = false
  for (let line = await peer.line(); ; line = await peer.line()) {
    offered ||= /^250.STARTTLS$/.test(line)
    if (line[3] !== '-') break
  }
  if (offered && (await peer.command('STARTTLS')) === 220) {
    await peer.callTls()
    await peer.command('EHLO gateway.test')
  }
  if (peer.secured || to.every(recipient => recipient.endsWith('.opportunistic.test'))) {
    await peer.command(`MAIL FROM:<${from}>`)
    for (const recipient of to) await peer.command(`RCPT TO:<${recipient}>`)
    await peer.command('DATA')
    peer.write(content.replace(/(^|\n)\./g, '$1..'))
    await peer.command('.')
  }
  await peer.command('QUIT')
  peer.end()
}
