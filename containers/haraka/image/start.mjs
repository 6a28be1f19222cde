// Runs Haraka in /haraka as a child process with an IPC channel, as the suite does without containers. Sends each line of
// JSON from the pipe /run/ask to Haraka as a message.
import { spawn } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [folder, endSignal] = process.argv.slice(2)
const child = spawn(process.execPath, ['/opt/haraka/node_modules/Haraka/bin/haraka', '-c', folder], {
  cwd: folder,
  env: { ...process.env, HARAKA: folder, NODE_EXTRA_CA_CERTS: `${folder}/config/ca.pem` },
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
child.once('exit', code => process.exit(code ?? 1))
process.once('SIGTERM', () => child.kill(endSignal))
// Opened for writing too; otherwise the pipe would end after the first writer. Read as a socket, because Node reads a file
// in a thread, and a thread that waits for data would keep this process from ending.
const pipe = new Socket({ fd: openSync('/run/ask', constants.O_RDWR | constants.O_NONBLOCK) })
createInterface({ input: pipe }).on('line', line => child.send(JSON.parse(line)))
