import { held, sent, table } from '../test-bed/fixtures/evidence.ts'
import { doesAsCheckSays } from './roots.ts'

describe('judging whether a gateway does what the check of its trusted roots says', () => {
  table([
    ['the root is found, and the message arrived', doesAsCheckSays('trusted', sent()), 'kept', /finds/],
    ['the root is found, and the gateway refuses', doesAsCheckSays('trusted', held()), 'broken', /deferred/],
    [
      'the root is found, and nothing is known',
      doesAsCheckSays('trusted', held({ refusal: '550' })),
      'unclear',
    ],
    ['the root is missing, and nothing arrived', doesAsCheckSays('not in the store', held()), 'refused'],
    [
      'the root is missing, and the message arrived',
      doesAsCheckSays('another one with its name is in the store', sent()),
      'broken',
      /does not find the partner's root \(another one .*and the gateway sent the message/,
    ],
  ])
})
