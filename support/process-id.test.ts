import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isRunning, PID_SCOPE, uniqueProcessId } from './process-id.ts'

describe('the id of a process', () => {
  it('differs from that of a later process with the same number, if the system tells when a process started', async () => {
    const own = uniqueProcessId(process.pid)!
    assert.ok(isRunning(own))
    assert.ok(isRunning(String(process.pid)))
    if (own.includes('@')) assert.ok(!isRunning(`${process.pid}@1`))
  })

  it('belongs to no running process after the process has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const id = uniqueProcessId(child.pid!)!
    assert.ok(isRunning(id))
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.ok(!isRunning(id) && !isRunning(String(child.pid)))
  })

  it('belongs to no running process if it is not a number', () => {
    assert.ok(!isRunning(''))
    assert.ok(!isRunning('nobody'))
  })

  it('has a scope that names the host, the boot and the namespace', function () {
    if (process.platform !== 'linux') this.skip()
    assert.match(PID_SCOPE, /^[^/]+\/[0-9a-f-]{36}\/pid:\[\d+\]$/)
  })
})
