#!/usr/bin/env node
// Runs the command: on this Node if it is new enough, otherwise on the Node that is one of the packages.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

// In a checkout, in dist/, and in a package, which has everything else in dist/.
const main = ['main.ts', 'main.js', '../../dist/support/cli/main.js']
  .map(place => fileURLToPath(new URL(place, import.meta.url)))
  .find(path => existsSync(path))

if (!main) {
  console.error('mail-tls: this package was packed before it was built: npm run package does both')
  process.exit(2)
} else if (Number(process.versions.node.split('.')[0]) >= 24) {
  // A short run spends half of its time loading modules.
  nodeModule.enableCompileCache()
  try {
    await import(main)
  } catch (error) {
    // Node would end with 1, which means that the gateway breaks something.
    console.error('mail-tls: this is a bug of the suite, please report it')
    console.error(error)
    process.exitCode = 2
  }
} else {
  const packaged = `node-${process.platform}-${process.arch}/bin/node`
  const found = ['../../node_modules/', '../../../', '../../../../']
    .map(place => fileURLToPath(new URL(place + packaged, import.meta.url)))
    .find(path => existsSync(path))
  if (!found) {
    console.error(
      `mail-tls: this needs Node 24 or newer, but this Node is ${process.version}, and the package ${packaged} is not installed`,
    )
    process.exit(2)
  }
  // When this process ends, the channel ends, and the child ends with the channel.
  const child = spawn(found, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // A message, not a signal: a terminal has sent the signal to the child already, and a second signal would end the child at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.connected && child.send(signal, () => {}))
  child.on('exit', (code, signal) => process.exit(signal ? 2 : (code ?? 2)))
}
