import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { PID_SCOPE, uniqueProcessId } from '../process-id.ts'
import { isDead, LABELS, leftoversAmong } from './labels.ts'

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

  it('is named with what it was and when the run began, if the run is dead', () => {
    const dead = of(GONE, PID_SCOPE, 3)
    const alive = of(uniqueProcessId(process.pid)!, PID_SCOPE, 3)
    const since = Number(dead[LABELS.since])
    assert.deepEqual(
      leftoversAmong([
        { kind: 'container', name: '0123456789ab', Labels: { ...dead, [LABELS.name]: 'postfix' } },
        { kind: 'container', name: 'ba9876543210', Labels: { ...alive, [LABELS.name]: 'exim' } },
        { kind: 'network', name: 'mail-tls-a', Labels: dead },
      ]),
      [
        { kind: 'container', name: '0123456789ab (postfix)', since, run: 'a' },
        { kind: 'network', name: 'mail-tls-a', since, run: 'a' },
      ],
    )
  })

  it('is dead where it does not say whose it is', () => {
    assert.ok(isDead({ [LABELS.run]: 'a' }))
  })
})
