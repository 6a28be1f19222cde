import { MAX_WAIT } from '../patience.ts'

/** Longest wait until the suite has closed another connection to the same server, in ms. */
const WAIT = 4 * MAX_WAIT

/**
 * How many connections the suite has open to one server. There is no limit until the server answers a connection with 421
 * in place of a greeting (RFC 5321 s3.8): then no more are open at a time than the server had taken beside it.
 */
export class Room {
  #open = 0
  #limit = Number.POSITIVE_INFINITY
  readonly #waiting: (() => void)[] = []

  /** Waits until there is room, for a bounded time, and takes it. */
  async enter(wait = WAIT): Promise<void> {
    if (this.#open < this.#limit) {
      this.#open++
      return
    }
    await new Promise<void>(resolve => {
      const enter = () => {
        clearTimeout(timer)
        this.#open++
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        enter()
      }, wait)
      this.#waiting.push(enter)
    })
  }

  leave(): void {
    this.#open--
    if (this.#open < this.#limit) this.#waiting.shift()?.()
  }

  /** The server refuses a connection that has entered, because of those that are open beside it. It leaves. */
  refuse(): void {
    this.#limit = Math.max(Math.min(this.#limit, this.#open - 1), 1)
    this.leave()
  }
}

const rooms = new Map<string, Room>()

/** The room at a server. */
export function roomAt({ host, port }: { host: string; port: number }): Room {
  const server = `${host} ${port}`
  const room = rooms.get(server) ?? new Room()
  rooms.set(server, room)
  return room
}
