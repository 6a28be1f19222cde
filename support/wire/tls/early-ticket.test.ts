import assert from 'node:assert/strict'
import { connect, type Socket, createServer as tcpServer } from 'node:net'
import { Duplex } from 'node:stream'
import { createServer, type SecureVersion, connect as tlsConnect } from 'node:tls'
import { Pki } from '../../pki/pki.ts'
import { EarlyTicket } from './early-ticket.ts'

/** A client's own view of a server whose bytes go through an early ticket: when tickets came, and what it read. */
async function talked(maxVersion: SecureVersion): Promise<{ tickets: number; sent: boolean; said: string }> {
  const { key, certificate } = await new Pki().issue({ names: ['mx.d1.test'], usage: 'server' })
  const early = new EarlyTicket()
  const server = createServer({ key, cert: certificate, maxVersion })
  server.on('keylog', line => early.secret(line))
  server.on('secureConnection', socket => socket.once('data', () => socket.end('hello')))
  const outside = tcpServer((socket: Socket) => {
    const carrier = new Duplex({
      read: () => {},
      write: (chunk, _, done) => {
        socket.write(early.through(chunk))
        done()
      },
      final: done => {
        socket.end()
        done()
      },
    })
    socket.on('data', chunk => carrier.push(chunk))
    socket.on('error', () => {})
    server.emit('connection', carrier)
  })
  await new Promise<void>(resolve => outside.listen({ host: '127.0.0.1', port: 0 }, resolve))
  try {
    const { port } = outside.address() as { port: number }
    const client = tlsConnect({ socket: connect(port, '127.0.0.1'), rejectUnauthorized: false })
    let tickets = 0
    client.on('session', () => tickets++)
    client.write('EHLO')
    let said = ''
    for await (const chunk of client) said += String(chunk)
    return { tickets, sent: early.sent, said }
  } finally {
    outside.close()
  }
}

describe('a ticket before the Finished of the client', () => {
  it('comes in TLS 1.3 in place of the first ticket of the library, and the session goes on', async () => {
    assert.deepEqual(await talked('TLSv1.3'), { tickets: 2, sent: true, said: 'hello' })
  })

  it('does not come in TLS 1.2, which has none', async () => {
    const { sent, said } = await talked('TLSv1.2')
    assert.deepEqual([sent, said], [false, 'hello'])
  })

  it('leaves bytes that are no whole record for the next write', () => {
    const early = new EarlyTicket()
    assert.equal(early.through(Buffer.from('1603', 'hex')).length, 0)
    assert.equal(early.through(Buffer.from('0300020100', 'hex')).toString('hex'), '16030300020100')
  })
})
