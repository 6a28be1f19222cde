import { deepEqual } from 'node:assert/strict'
import { table } from '../test-bed/fixtures/evidence.ts'
import { broken, kept, refused, unclear } from '../verdicts/observation.ts'
import { asOn, oldTlsOn } from './calendar.ts'

describe('what old TLS is on a day', () => {
  it('changes with the end of support and with the removal', () => {
    const days = ['2018-10-30', '2018-10-31', '2020-04-01', '2021-01-10', '2021-01-11']
    deepEqual(
      days.map(day => oldTlsOn(day)),
      ['works', 'works, unsupported', 'works, unsupported', 'works, unsupported', 'removed'],
    )
  })

  it('changes at short notice, too', () => {
    deepEqual(
      ['2018-09-30', '2018-10-01', '2020-04-01'].map(day => oldTlsOn(day, '2018-10-01')),
      ['works', 'removed', 'removed'],
    )
  })
})

describe('judging old TLS by the calendar', () => {
  const used = kept('it took the message over TLS 1.1')
  const gone = refused('it refused TLS 1.1')
  const [noMore, still] = [broken('it refused TLS 1.1: alert 70', 'it refused'), broken('it took TLS 1.1')]
  table([
    ['it works', asOn('2018-10-30', { used, gone: still }), 'kept', /\(on 2018-10-30 old TLS works\)$/],
    ['it works unsupported', asOn('2020-04-01', { used, gone: still }), 'kept', /works, unsupported\)$/],
    [
      'it does not work yet',
      asOn('2020-04-01', { used: noMore, gone }),
      'broken',
      /alert 70 \(on 2020-04-01/,
    ],
    ['it is removed', asOn('2021-01-11', { used: noMore, gone }), 'refused', /old TLS is removed\)$/],
    ['it still works', asOn('2021-01-11', { used, gone: still }), 'broken', /old TLS is removed\)$/],
    ['nothing is known', asOn('2021-01-11', { used, gone: unclear('silence') }), 'unclear', /^silence$/],
  ])
})
