import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { PID_SCOPE, uniqueProcessId } from '../process-id.ts'
import { isDead, LABELS } from './labels.ts'

describe('what a run left on the engine', () => {
  const HOUR = 60 * 60 * 1000
  /** Labels of a run. */
  const of = (pid: string, host: string, hours: number) => ({
    [LABELS.run]: 'a',
    [LABELS.pid]: pid,
    [LABELS.host]: host,
    [LABELS.since]: String(Date.now() - hours * HOUR),
  })
  /** No system has so many processes. */
  const GONE = `${2 ** 30}@1`

  it('is dead when its process is gone, or another has its id', () => {
    assert.ok(isDead(of(GONE, PID_SCOPE, 0)))
    assert.ok(!isDead(of(uniqueProcessId(process.pid)!, PID_SCOPE, 99)))
    if (uniqueProcessId(process.pid)!.includes('@')) assert.ok(isDead(of(`${process.pid}@1`, PID_SCOPE, 0)))
  })

  it('is taken for dead after a day where nobody here can tell', () => {
    const others = [
      hostname(),
      PID_SCOPE.replace(/\/pid:.*/, '/pid:[1]'),
      PID_SCOPE.replace(/\/.*/, '/another/start'),
    ]
    for (const host of process.platform === 'linux' ? others : ['another']) {
      assert.ok(!isDead(of(GONE, host, 23)), host)
      assert.ok(isDead(of(uniqueProcessId(process.pid)!, host, 25)), host)
    }
  })

  it('is dead where it does not say whose it is', () => {
    assert.ok(isDead({ [LABELS.run]: 'a' }))
  })
})
