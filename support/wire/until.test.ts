import assert from 'node:assert/strict'
import { until, type Watchable } from './until.ts'

/** As much as is waited for what must come, in ms. */
const LONG = 10_000

class Counter implements Watchable {
  count = 0
  readonly watchers = new Set<() => void>()

  watch(watcher: () => void) {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  add() {
    this.count++
    for (const watcher of this.watchers) watcher()
  }
}

describe('waiting until something holds', () => {
  it('ends before it has begun where that holds already', async () => {
    const counter = new Counter()
    const waiting = until(() => true, [counter], LONG)
    assert.equal(counter.watchers.size, 0)
    assert.equal(await waiting, true)
  })

  it('looks after every change of any source, and watches none of them afterwards', async () => {
    const [one, other] = [new Counter(), new Counter()]
    const waiting = until(() => one.count + other.count === 3, [one, other], LONG)
    one.add()
    other.add()
    assert.deepEqual([one.watchers.size, other.watchers.size], [1, 1])
    one.add()
    assert.equal(await waiting, true)
    assert.deepEqual([one.watchers.size, other.watchers.size], [0, 0])
  })

  it('gives up when its time is over, and watches nothing afterwards', async () => {
    const counter = new Counter()
    assert.equal(await until(() => counter.count > 0, [counter], 1), false)
    assert.equal(counter.watchers.size, 0)
  })

  it('looks a last time then, at what nobody told', async () => {
    const counter = new Counter()
    const waiting = until(() => counter.count > 0, [counter], 1)
    counter.count = 1
    assert.equal(await waiting, true)
  })
})
