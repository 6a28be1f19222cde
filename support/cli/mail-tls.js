#!/usr/bin/env node
// The command on any Node: this one when it is new enough, else the one that came with the package.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Half of a short run is loading modules.
  nodeModule.enableCompileCache()
  try {
    await import(main)
  } catch (error) {
    // Node would end with 1, which says that the gateway is at fault.
    console.error('mail-tls: a fault of the suite itself, please report it')
    console.error(error)
    process.exitCode = 2
  }
} else {
  const packaged = `node-${process.platform}-${process.arch}/bin/node`
  const found = ['../../node_modules/', '../../../']
    .map(place => fileURLToPath(new URL(place + packaged, import.meta.url)))
    .find(path => existsSync(path))
  if (!found) {
    console.error(
      `mail-tls: needs Node 24 or newer; this is ${process.version}, and ${packaged} was not installed`,
    )
    process.exit(2)
  }
  // The channel ends with this process, and the child with the channel.
  const child = spawn(found, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // Told, not sent: a terminal has sent it to the child already, and a second one would end that at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.connected && child.send(signal, () => {}))
  child.on('exit', (code, signal) => process.exit(signal ? 2 : (code ?? 2)))
}
