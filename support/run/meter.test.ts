import assert from 'node:assert/strict'
import { Meter } from './meter.ts'

describe('a meter', () => {
  it('tells what this process has computed since the meter was made', () => {
    const meter = new Meter()
    const began = process.cpuUsage()
    while (process.cpuUsage(began).user < 100_000) Math.sqrt(2)
    const { durationMs, cpu } = meter.read()
    assert.ok(durationMs >= 50, `${durationMs} ms`)
    assert.ok(cpu.suite * durationMs >= 90, `${cpu.suite} cores for ${durationMs} ms`)
    assert.ok(cpu.cores >= 1 && cpu.machine >= 0 && cpu.machine <= cpu.cores + 0.5, JSON.stringify(cpu))
  })
})
