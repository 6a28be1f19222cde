import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** The program of the child: listens, says so, and never looks at its connections again; ends with its parent. */
const PROGRAM = `
  const [, host, port] = process.argv
  const server = require('node:net').createServer()
  server.listen({ host, port: Number(port), backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'listening')
    const still = new Int32Array(new SharedArrayBuffer(4))
    for (const parent = process.ppid; process.ppid === parent; ) Atomics.wait(still, 0, 0, 500)
    process.exit()
  })`
/** More than wait in the queue of the child. */
const FILL = 4

/**
 * An address at which the kernel drops the first packet of each connection, as a firewall may do: somebody listens, takes no
 * connection, and the queue is full. A process of its own, because Node takes connections whenever it can.
 */
export class DeafHost {
  #child: ChildProcess | undefined
  #listening: Promise<void> | undefined
  readonly #fill: Socket[] = []

  async listen(host: string, port: number): Promise<void> {
    this.#listening ??= this.#start(host, port)
    await this.#listening
  }

  async #start(host: string, port: number): Promise<void> {
    const child = spawn(process.execPath, ['-e', PROGRAM, host, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    await Promise.race([
      once(child.stdout!, 'data'),
      once(child, 'exit').then(() => {
        throw new Error(`nobody can listen on ${host}:${port}`)
      }),
    ])
    for (let i = 0; i < FILL; i++) this.#fill.push(connect({ host, port }).on('error', () => {}))
    await Promise.race(this.#fill.map(socket => once(socket, 'connect')))
  }

  /** It can listen again afterwards. */
  async stop(): Promise<void> {
    for (const socket of this.#fill.splice(0)) socket.destroy()
    const child = this.#child
    this.#child = undefined
    this.#listening = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}
