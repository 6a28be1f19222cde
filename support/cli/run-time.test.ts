import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import type { PlannedExample } from '../run/example.ts'
import type { Order } from './order.ts'
import { LEAST, runTime } from './run-time.ts'

const catalogue = loadCatalogue()
const rules = loadFeatures(catalogue)

/** The examples of one requirement, of which those with `steps` alone. */
function planned(requirement: string, steps = /./): PlannedExample[] {
  return rules
    .filter(rule => rule.requirement === requirement)
    .flatMap(rule =>
      rule.examples
        .filter(example => example.steps.some(step => steps.test(step)))
        .map(({ name: title, control }) => ({ rule, title, control })),
    )
}
const HELD = /stays? queued|does not arrive/
const held = planned('EXO-FRC-01', HELD)
const plain = planned('EXO-FRC-11')
const changing = planned('EXO-TRN-01', /gets a certificate/)

type Source = Order['source']
const embedded = { kind: 'embedded' } as Source
const SETTLE = 10_000
/** A gateway file with so many partner addresses. */
const external = (addresses: number, more: object = {}): Source =>
  ({
    kind: 'external',
    file: {
      outbound: {
        settle: SETTLE,
        connectors: Array.from({ length: addresses }, (_, port) => ({ partner: [{ host: 'a', port }] })),
      },
      ...more,
    },
  }) as unknown as Source

const time = (plan: readonly PlannedExample[], source: Source, parallel = 4) =>
  runTime(plan, { source }, parallel)

describe('the time of a run', () => {
  it('has the examples of the features for what it tells apart', () => {
    for (const examples of [held, plain, changing]) assert.notEqual(examples.length, 0)
    assert.ok(!plain.some(one => held.includes(one)))
  })

  it('grows with each example that is judged, and with no other', () => {
    const begin = time([], embedded)
    const each = time(plain.slice(0, 1), embedded) - begin
    assert.ok(begin > 0 && each > 0)
    assert.equal(time(plain, embedded), begin + each * plain.length)
    assert.equal(
      time(
        plain.map(one => ({ ...one, inapplicable: 'no mailbox' })),
        embedded,
      ),
      begin,
    )
  })

  it('begins later where a container has to start', () => {
    assert.ok(time([], { kind: 'container' } as Source) > time([], embedded))
  })

  it('grows with each silence after a message that is held back, as many at a time as there are addresses', () => {
    const silence = (source: Source, parallel?: number) =>
      time(held, source, parallel) - time(held, external(1, { outbound: undefined }), parallel)
    const all = held.length * SETTLE
    assert.equal(silence(external(1)), all)
    assert.equal(time(plain, external(1)), time(plain, external(1, { outbound: undefined })))
    assert.equal(silence(external(2)), all / 2)
    assert.equal(silence(external(8)), all / 4)
    assert.equal(silence(external(8), 2), all / 2)
    // Each partner has an address of its own.
    for (const apart of [{ names: {} }, { lab: {} }]) assert.equal(silence(external(1, apart)), all / 4)
  })

  it('has no silence where the gateway itself says that it holds a message back', () => {
    const log = { file: 'mail.log' }
    const says = external(1, { commands: { log, reader: 'postfix', queue: 'mailq' } })
    const without = external(1, { outbound: undefined })
    assert.equal(time(held, says), time(held, without))
    assert.ok(time(held, external(1, { commands: { log, reader: 'postfix' } })) > time(held, without))
  })

  it('grows with each exchange of a certificate, where the gateway stays the same', () => {
    const inPlace = { ...embedded, changesInPlace: true } as Source
    assert.ok(time(changing, inPlace) > time(changing, embedded))
    assert.equal(time(plain, inPlace), time(plain, embedded))
  })

  it('is as long as circumstances may take, with a minute for them at least', () => {
    const under = (within: number) =>
      runTime(plain, { source: embedded, circumstances: { strength: 2, within, seed: '1' } }, 4)
    assert.equal(under(240_000), 240_000)
    assert.equal(under(1), time(plain, embedded) + LEAST)
  })
})
