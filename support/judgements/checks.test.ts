import { held, sent, table } from '../test-bed/fixtures/evidence.ts'
import { doesAsCheckSays } from './checks.ts'

const GOOD = { good: true, says: 'the check finds it' }
const BAD = { good: false, says: 'the check does not find it' }

describe('judging a gateway beside a check of the suite', () => {
  table([
    ['in order, and it arrived', doesAsCheckSays(GOOD, sent()), 'kept', /^the check finds it, and /],
    ['in order, and it waits', doesAsCheckSays(GOOD, held()), 'broken', /^the check finds it, and /],
    ['out of order, and it waits', doesAsCheckSays(BAD, held()), 'refused', /the message did not arrive$/],
    ['out of order, and it arrived', doesAsCheckSays(BAD, sent()), 'broken', /the gateway sent the message$/],
  ])
})
