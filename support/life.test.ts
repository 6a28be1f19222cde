import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { life, lives, PLACE } from './life.ts'

describe('the life of a process', () => {
  it('is told from a later one with the same id, where the system tells when it started', async () => {
    const own = life(process.pid)!
    assert.ok(lives(own))
    assert.ok(lives(String(process.pid)))
    if (own.includes('@')) assert.ok(!lives(`${process.pid}@1`))
  })

  it('is over once it has ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const mark = life(child.pid!)!
    assert.ok(lives(mark))
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.ok(!lives(mark) && !lives(String(child.pid)))
  })

  it("is nobody's where there is no id", () => {
    assert.ok(!lives(''))
    assert.ok(!lives('nobody'))
  })

  it('has a place that names the start of the machine and the namespace', function () {
    if (process.platform !== 'linux') this.skip()
    assert.match(PLACE, /^[^/]+\/[0-9a-f-]{36}\/pid:\[\d+\]$/)
  })
})
