const DEFAULT_PATIENCE = 10_000
const LEAST_PATIENCE = 100
const MOST_PATIENCE = 60_000

/**
 * Longest wait for one thing from the peer (connection, reply, handshake), in milliseconds. Every other wait for a
 * peer is a multiple of it, so that the environment variable MAIL_TLS_PATIENCE changes them all: more for a gateway
 * that is slow on purpose, less for tests. From 100 to 60000; what is beyond counts as the nearest of them, and what
 * is no number as not said.
 */
export const MAX_WAIT = patience(process.env['MAIL_TLS_PATIENCE'])
/** A session that we serve is ended after this long without any traffic, in ms; no sender waits that long for us. */
export const IDLE = 6 * MAX_WAIT
/** What goes through here from one server to another has this long in all, in ms, however busy it is. */
export const MAX_PASSAGE = 2 * IDLE

/** The wait that a text asks for, in ms. */
export function patience(text: string | undefined): number {
  if (!text || !/^\d+$/.test(text)) return DEFAULT_PATIENCE
  return Math.min(Math.max(Number(text), LEAST_PATIENCE), MOST_PATIENCE)
}
