import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isLoopback, socketsOf } from '../test-bed/fixtures/sockets.ts'

const COMMAND = fileURLToPath(new URL('mail-tls.js', import.meta.url))
/** The gateway as receiver, as sender, with a mailbox, with a second server and a tap, and with users who log in. */
const REQUIREMENTS = ['RFC3207-05', 'EXO-FRC-01', 'EXO-S2S-01', 'RFC8314-02']

describe('a run without containers', () => {
  for (const target of ['haraka', 'reference'])
    it(`has no socket beyond the loopback interface with ${target}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'mail-tls-test-'))
      const wanted = REQUIREMENTS.flatMap(id => ['--requirement', id])
      const child = spawn(process.execPath, [COMMAND, 'check', target, ...wanted, '--report', folder], {
        stdio: 'ignore',
      })
      const ended = once(child, 'exit')
      const seen = new Set<string>()
      while (child.exitCode === null) {
        for (const { protocol, local, remote } of socketsOf(child.pid!))
          for (const address of [local, ...(remote.endsWith(':0') ? [] : [remote])])
            seen.add(`${protocol} ${address}`)
        await pause(20)
      }
      const [status] = await ended
      await rm(folder, { recursive: true })
      assert.equal(status, 0)
      assert.ok(seen.size > 10, `the test saw sockets: ${seen.size}`)
      assert.deepEqual(
        [...seen].filter(one => !isLoopback(one.split(' ')[1]!)),
        [],
      )
    })
})
