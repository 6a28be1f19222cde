import type { ClientHello } from '../../wire/conversation.ts'
import type { TlsSession } from '../decisions/situation.ts'

/** A command of a client, as it came. */
export interface SeenCommand {
  /** In capitals. */
  verb: string
  argument: string
  /** The whole line. */
  line: string
  /** Bytes of each read in which it came; none where it came together with the command before. */
  reads: readonly number[]
  /** What had come behind it by then, Latin-1. */
  behind: string
  /** Of the reply; undefined as long as there is none. */
  code?: number
}

/** A ClientHello, as it came. */
export interface SeenHello {
  hello: ClientHello
  /** Bytes of each read in which it came, how many TLS records, and all bytes with the headers of the records. */
  reads: readonly number[]
  records: number
  length: number
}

/** What became of an earlier session of a client. */
export type PastSession = 'delivered' | 'refused' | 'cut off' | 'no handshake'

/**
 * What the gateway has seen of a client in one session. Nobody has told the gateway how the client means to behave: what
 * cannot be seen yet does not hold.
 */
export class ClientSeen {
  /** Since the connection began, or since the handshake; the last one is the command that the gateway acts upon. */
  commands: SeenCommand[] = []
  /** Before the handshake. */
  beforeTls: readonly SeenCommand[] = []
  hello: SeenHello | undefined
  tls: TlsSession | undefined
  /** The domain of the client is two names below that of its connector, or deeper. */
  deep = (): boolean => false
  /** The name of the gateway. */
  hostname = ''
  /** The message, once it has come whole: Latin-1, CRLF line ends, no dots doubled. */
  content: string | undefined
  /** Bytes of each read in which it came, with the final dot or with the BDAT commands. */
  contentReads: readonly number[] = []
  /** Of the same client, oldest first: what became of the sessions before this one. */
  past: () => readonly PastSession[] = () => []

  /** From the last MAIL on. */
  get transaction(): SeenCommand[] {
    return this.commands.slice(Math.max(this.#mailAt, 0))
  }

  /** Before the last MAIL. */
  get before(): SeenCommand[] {
    return this.commands.slice(0, Math.max(this.#mailAt, 0))
  }

  get mail(): SeenCommand | undefined {
    return this.commands[this.#mailAt]
  }

  get #mailAt(): number {
    return this.commands.findLastIndex(({ verb }) => verb === 'MAIL')
  }
}
