// Runs Haraka in /haraka as the suite runs it on its own machine: as a child with a channel. Lines of JSON from the pipe
// /run/ask go to it as messages.
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
// For writing too, or it would end with the first that wrote into it. As a file it would be read in a thread, and this
// process could not end as long as nothing comes.
const pipe = new Socket({ fd: openSync('/run/ask', constants.O_RDWR | constants.O_NONBLOCK) })
createInterface({ input: pipe }).on('line', line => child.send(JSON.parse(line)))
