import type { HandshakeFault, StarttlsFault } from './behaviour.ts'

// What a partner that misbehaves puts on the wire.

/** The reply to STARTTLS with each code. */
export const REFUSALS: Record<NonNullable<StarttlsFault['refuses']>, string> = {
  421: '421 4.3.2 Closing the connection',
  454: '454 4.7.0 TLS not available at the moment',
  500: '500 5.5.1 Unknown command',
  502: '502 5.5.1 Not implemented',
  554: '554 5.7.0 Not with you',
}

/** The reply to unencrypted mail of a partner that demands TLS: RFC 3207 s4. */
export const TLS_FIRST = '530 5.7.0 Must issue a STARTTLS command first'

/** In place of a ServerHello, from a partner that ends TLS and nothing else: RFC 8446 s6.1. */
export const CLOSE_NOTIFY = Buffer.from([21, 3, 3, 0, 2, 1, 0])

interface BrokenHandshake {
  /** What the partner sends in place of a ServerHello. */
  answer?: string | Buffer
  end: 'closes' | 'resets' | 'waits'
  /** The text of the event in the record. */
  record: string
}

/** What the partner does when it has read the ClientHello. */
export const BROKEN_HANDSHAKES: Record<Exclude<HandshakeFault, 'closes'>, BrokenHandshake> = {
  resets: { end: 'resets', record: 'reset by the partner' },
  'talks garbage': {
    answer: 'this is no TLS record at all\r\n',
    end: 'closes',
    record: 'closed after bytes that are no TLS',
  },
  // A fatal handshake_failure: RFC 8446 s6.
  alerts: {
    answer: Buffer.from([21, 3, 3, 0, 2, 2, 40]),
    end: 'closes',
    record: 'closed after a fatal alert',
  },
  'answers in clear': {
    answer: '421 4.7.0 TLS is not for today\r\n',
    end: 'closes',
    record: 'closed after an answer in clear',
  },
  'goes silent': { end: 'waits', record: 'says nothing to the ClientHello' },
}
