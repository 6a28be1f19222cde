import { held, sent, table } from '../test-bed/fixtures/evidence.ts'
import { doesAsCheckSays } from './checks.ts'
import { ofRoots } from './roots.ts'

describe('judging whether a gateway does what the check of its trusted roots says', () => {
  table([
    [
      'the root is found, and the message arrived',
      doesAsCheckSays(ofRoots('trusted'), sent()),
      'kept',
      /finds/,
    ],
    [
      'the root is found, and the gateway refuses',
      doesAsCheckSays(ofRoots('trusted'), held()),
      'broken',
      /deferred/,
    ],
    [
      'the root is found, and nothing is known',
      doesAsCheckSays(ofRoots('trusted'), held({ refusal: '550' })),
      'unclear',
    ],
    [
      'the root is missing, and nothing arrived',
      doesAsCheckSays(ofRoots('not in the store'), held()),
      'refused',
    ],
    [
      'the root is missing, and the message arrived',
      doesAsCheckSays(ofRoots('another one with its name is in the store'), sent()),
      'broken',
      /does not find the partner's root \(another one .*and the gateway sent the message/,
    ],
  ])
})
