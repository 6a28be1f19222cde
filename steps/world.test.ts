import assert from 'node:assert/strict'
import type { IWorldOptions } from '@cucumber/cucumber'
import { Partner } from '../support/lab/partner/partner.ts'
import type { Run } from '../support/run/run.ts'
import { broken, kept } from '../support/verdicts/observation.ts'
import { MailWorld } from './world.ts'

describe('an example', () => {
  /** One in which mail went through a tap to the gateway, with a run that believes what it is told. */
  function received({ flooded = false, unreached }: { flooded?: boolean; unreached?: string }): MailWorld {
    const world = new MailWorld({ log: () => {} } as unknown as IWorldOptions<unknown>)
    const judge: Run['record']['judge'] = ((_, { kind, detail }) => ({
      verdict: { kept: 'conformant', broken: 'non-conformant', unclear: 'inconclusive' }[kind],
      detail,
    })) as Run['record']['judge']
    Object.defineProperty(world, 'run', {
      value: { record: { judge }, lab: { web: { unreached: () => unreached } } },
    })
    const tap = new Partner('gateway.test', [])
    tap.flooded = flooded
    world.happened.relayed({ tap, inbox: new Partner('mailbox.gateway.test', []), names: ['one', 'other'] })
    return world
  }

  it('keeps nothing of which a part went through a tap unseen', () => {
    const world = received({ flooded: true })
    assert.equal(world.conclude(kept('all is well')), 'skipped')
    assert.deepEqual(world.verdict, {
      verdict: 'inconclusive',
      detail: 'one to other: there was more than is served or kept of one partner',
    })
  })

  it('is broken by what was seen, whatever was not', () => {
    assert.throws(() => received({ flooded: true }).conclude(broken('in clear')), { name: 'NonConformant' })
  })

  it('holds nothing against a gateway that did not come to the authority of a certificate', () => {
    const example = () => {
      const world = received({ unreached: 'crl.partner.test' })
      const partner = new Partner('partner.test', [])
      world.happened.watched.push({ partner } as (typeof world.happened.watched)[number])
      return world
    }
    const world = example()
    assert.equal(world.conclude(broken('the message arrived')), 'skipped')
    assert.match(world.verdict!.detail, /asked for the address of crl\.partner\.test and came to no web host/)
    assert.equal(example().conclude(kept('all is well')), undefined)
    const closed = example()
    closed.intent.add('authority', { ways: { list: 'refused' } })
    assert.throws(() => closed.conclude(broken('the message arrived')), { name: 'NonConformant' })
  })

  it('is kept where all was seen', () => {
    assert.equal(received({ flooded: false }).conclude(kept('all is well')), undefined)
  })
})
