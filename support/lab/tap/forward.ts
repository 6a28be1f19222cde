import { connect, type Socket } from 'node:net'
import { IDLE, MAX_PASSAGE } from '../../wire/patience.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'

/**
 * Forwards all bytes in both directions and records nothing. `idle`: without any traffic, and `all`: in total, in ms.
 */
export function forward(socket: Socket, to: Endpoint, { idle = IDLE, all = MAX_PASSAGE } = {}): void {
  socket.allowHalfOpen = true
  const onward = connect({ ...to, allowHalfOpen: true })
  socket.pipe(onward)
  onward.pipe(socket)
  const limit = setTimeout(() => socket.destroy(), all)
  socket.on('close', () => clearTimeout(limit))
  for (const [one, other] of [
    [socket, onward],
    [onward, socket],
  ] as const) {
    one.setTimeout(idle, () => one.destroy())
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
}
