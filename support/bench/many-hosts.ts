import { spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { certificate } from '../pki/certificate.ts'

/** What one command costs that probes so many hosts. */
export interface ManyHosts {
  hosts: number
  /** For each host, in ms. */
  each: number
  /** The most memory that the process held, in bytes; absent where the system does not tell. */
  memory?: number
}

const COMMAND = fileURLToPath(new URL('../cli/mail-tls.js', import.meta.url))
/** How often the memory of the process is looked at, in ms. */
const LOOK = 100
const NAME = 'mx.many.test'

/** One server answers at every address of 127.0.0.0/8, which only Linux has by itself. */
export async function manyHosts(counts: readonly number[]): Promise<ManyHosts[]> {
  const server = createServer(answering()).listen(0, '0.0.0.0')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const costs: ManyHosts[] = []
    for (const count of counts) costs.push(await probed(count, port))
    return costs
  } finally {
    server.close()
  }
}

/** A small SMTP server with TLS 1.2 and 1.3, and a key whose signatures are cheap. */
function answering(): (socket: Socket) => void {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const about = { commonName: NAME, publicKey: createPublicKey(key), issuer: { commonName: NAME, key } }
  const secureContext = createSecureContext({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: certificate({ ...about, role: 'server', from: -1, until: 1 }),
    minVersion: 'TLSv1.2',
    ciphers: 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256',
  })
  return socket => {
    socket.on('error', () => {})
    socket.write(`220 ${NAME} ESMTP\r\n`)
    const answer = (line: Buffer) => {
      const verb = line.toString('latin1', 0, 4).toUpperCase()
      if (verb === 'EHLO') socket.write(`250-${NAME}\r\n250 STARTTLS\r\n`)
      else if (verb !== 'STAR') socket.end('221 Bye\r\n')
      else {
        socket.off('data', answer)
        socket.write('220 Go ahead\r\n')
        const tls = new TLSSocket(socket, { isServer: true, secureContext })
        tls.on('error', () => {}).on('data', () => tls.write('250 Yes\r\n'))
      }
    }
    socket.on('data', answer)
  }
}

async function probed(count: number, port: number): Promise<ManyHosts> {
  const hosts = Array.from({ length: count }, (_, n) => `127.16.${n >> 8}.${n & 255}:${port}`)
  const began = performance.now()
  const child = spawn(process.execPath, [COMMAND, 'probe', ...hosts, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let memory: number | undefined
  const looking = setInterval(() => {
    memory = peakOf(child.pid!) ?? memory
  }, LOOK)
  let answers = 0
  for await (const chunk of child.stdout.setEncoding('latin1'))
    answers += String(chunk).split('"host"').length - 1
  clearInterval(looking)
  if (answers !== count) throw new Error(`probe told of ${answers} hosts, not of ${count}`)
  const each = (performance.now() - began) / count
  return { hosts: count, each, ...(memory === undefined ? {} : { memory }) }
}

function peakOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}
