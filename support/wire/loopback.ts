import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls'
import { Link } from './link.ts'

/** A TCP server for unit tests; whatever it accepted is destroyed when it closes. */
export class Loopback {
  readonly endpoint: { host: string; port: number }
  readonly close: () => Promise<void>

  private constructor(port: number, close: () => Promise<void>) {
    this.endpoint = { host: '127.0.0.1', port }
    this.close = close
  }

  /** Runs `script` for each connection. */
  static async start(script: (socket: Socket) => void): Promise<Loopback> {
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {})
      script(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Loopback((server.address() as AddressInfo).port, async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    })
  }
}

export interface Capture {
  sender: Buffer
  receiver: Buffer
  /** As the sender's library tells it; absent when the handshake failed. */
  agreed?: { version: string; suite: string }
  /** With which the sender may resume it. */
  session?: Buffer
}

/** The bytes of a real handshake over loopback, one word of each side included, until both have ended. */
export async function captured(server: TlsOptions, client: ConnectionOptions): Promise<Capture> {
  const tls = createTlsServer(server, socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end('pong'))
  })
  tls.on('tlsClientError', () => {})
  const loopback = await Loopback.start(socket => tls.emit('connection', socket))
  const seen = { sender: [] as Buffer[], receiver: [] as Buffer[] }
  const link = new Link(connect(loopback.endpoint), {
    sent: chunk => seen.sender.push(Buffer.from(chunk)),
    received: chunk => seen.receiver.push(Buffer.from(chunk)),
  })
  const socket = tlsConnect({ socket: link, rejectUnauthorized: false, ...client })
  let agreed: Capture['agreed']
  let session: Buffer | undefined
  socket.on('session', bytes => {
    session = bytes
  })
  socket.once('secureConnect', () => {
    agreed = { version: socket.getProtocol()!, suite: socket.getCipher().standardName }
    socket.write('ping')
  })
  socket.on('error', () => {})
  socket.resume()
  await new Promise<void>(resolve => socket.once('close', () => resolve()))
  await loopback.close()
  return {
    sender: Buffer.concat(seen.sender),
    receiver: Buffer.concat(seen.receiver),
    ...(agreed ? { agreed } : {}),
    ...(session ? { session } : {}),
  }
}
