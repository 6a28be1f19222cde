const DEFAULT_PATIENCE = 10_000
const LEAST_PATIENCE = 100
const MOST_PATIENCE = 60_000

/**
 * Longest wait for one thing from the peer (connection, reply, handshake), in milliseconds. Every other wait for a
 * peer is a multiple of it, so that the environment variable MAIL_TLS_PATIENCE changes them all: more for a gateway
 * that is slow on purpose, less for tests. From 100 to 60000: a number beyond counts as the nearest of the two, and a
 * text that is no number does not count.
 */
export const MAX_WAIT = patience(process.env['MAIL_TLS_PATIENCE'])
/** The lab ends a session that it serves after this long without traffic, in ms. No client waits that long for a reply. */
export const IDLE = 6 * MAX_WAIT
/**
 * A partner that falls silent closes the connection after this long, in ms. A gateway may wait longer by itself, and has to
 * go on with two such connections while a message is watched.
 */
export const SILENCE = 0.8 * MAX_WAIT
/** The longest time of a connection through the tap, in ms, however busy the connection is. */
export const MAX_PASSAGE = 2 * IDLE

/** The wait that a text asks for, in ms. */
export function patience(text: string | undefined): number {
  if (!text || !/^\d+$/.test(text)) return DEFAULT_PATIENCE
  return Math.min(Math.max(Number(text), LEAST_PATIENCE), MOST_PATIENCE)
}
