import type { TlsOptions } from 'node:tls'
import { ScriptedConnection } from './scripted-connection.ts'

/** A message that a gateway of the test bed has accepted. */
export interface AcceptedMessage {
  from: string
  to: string[]
  content: string
}

/**
 * What the gateway does with one command. `answered`: it has answered, and the session goes on. `ended`: it has ended the
 * session. Nothing: the usual answer follows.
 */
export type Answer = (
  connection: ScriptedConnection,
  line: string,
) => Promise<'answered' | 'ended' | undefined> | 'answered' | 'ended' | undefined

export interface Receiving {
  tls: TlsOptions
  greeting?: string
  /** Answers that replace the usual answers, by the verb of the command. `*` is for all other commands. */
  answers?: Partial<Record<string, Answer>>
  /** Replaces the usual handshake after the go-ahead. */
  handshake?: (connection: ScriptedConnection) => Promise<void>
  /** Sender addresses from which the gateway accepts no unencrypted mail. */
  requires?: RegExp
  onMessage?: (message: AcceptedMessage) => void
}

/** A receiver that behaves well in everything that the options do not change. */
export async function receive(connection: ScriptedConnection, options: Receiving): Promise<void> {
  const { answers = {}, requires = /@[^@]*\.required\.test$/ } = options
  let from = ''
  let to: string[] = []
  connection.say(options.greeting ?? '220 mx.gateway.test ESMTP')
  for (;;) {
    const line = await connection.line()
    const verb =
      line.trim().slice(0, 8).toUpperCase() === 'STARTTLS' ? 'STARTTLS' : line.slice(0, 4).toUpperCase()
    const other = await (answers[verb] ?? answers['*'])?.(connection, line)
    if (other === 'ended') return
    if (other === 'answered') continue
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    switch (verb) {
      case 'EHLO':
        connection.say('250-mx.gateway.test', ...(connection.secured ? [] : ['250-STARTTLS']), '250 8BITMIME')
        break
      case 'STARTTLS':
        if (connection.secured) connection.say('503 5.5.1 TLS is on')
        else if (line.trim().length > 8) connection.say('501 5.5.4 No parameter')
        else {
          connection.say('220 2.0.0 Go ahead')
          connection.forget()
          if (options.handshake) return await options.handshake(connection)
          await connection.serveTls(options.tls)
          from = ''
          to = []
        }
        break
      case 'MAIL':
        if (!connection.secured && requires.test(address)) connection.say('530 5.7.0 TLS first')
        else {
          from = address
          connection.say('250 2.1.0 Sender noted')
        }
        break
      case 'RCPT':
        if (!from) connection.say('503 5.5.1 MAIL first')
        else {
          to.push(address)
          connection.say('250 2.1.5 Recipient noted')
        }
        break
      case 'DATA': {
        connection.say('354 Go on')
        const lines: string[] = []
        for (let text = await connection.line(); text !== '.'; text = await connection.line())
          lines.push(text.startsWith('.') ? text.slice(1) : text)
        options.onMessage?.({ from, to, content: `${lines.join('\r\n')}\r\n` })
        from = ''
        to = []
        if ((await answers['dot']?.(connection, '')) === 'ended') return
        connection.say('250 2.0.0 Taken')
        break
      }
      case 'QUIT':
        connection.say('221 2.0.0 Bye')
        connection.end()
        return
      default:
        connection.say('250 2.0.0 Yes')
    }
  }
}

/** A correct delivery to the suite's partner: over TLS if the partner offers it, unencrypted only if this is allowed. */
export async function deliver(port: number, { from, to, content }: AcceptedMessage): Promise<void> {
  const connection = ScriptedConnection.call(port)
  if ((await connection.reply()) !== 220) return connection.end()
  connection.say('EHLO gateway.test')
  let offered = false
  for (let line = await connection.line(); ; line = await connection.line()) {
    offered ||= /^250.STARTTLS$/.test(line)
    if (line[3] !== '-') break
  }
  if (offered && (await connection.command('STARTTLS')) === 220) {
    await connection.callTls()
    await connection.command('EHLO gateway.test')
  }
  if (connection.secured || to.every(recipient => recipient.endsWith('.opportunistic.test'))) {
    await connection.command(`MAIL FROM:<${from}>`)
    for (const recipient of to) await connection.command(`RCPT TO:<${recipient}>`)
    await connection.command('DATA')
    connection.write(content.replace(/(^|\n)\./g, '$1..'))
    await connection.command('.')
  }
  await connection.command('QUIT')
  connection.end()
}
