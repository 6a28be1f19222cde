import assert from 'node:assert/strict'
import { bundledGateway } from './index.ts'

describe('a gateway that does not come with the suite', () => {
  const said: [name: string, advice: string][] = [
    ['sendmail@', 'sendmail comes as trixie, bookworm and bullseye'],
    ['postfix@buster', 'postfix comes as trixie, bookworm and bullseye'],
    ['postfix@', 'postfix comes as trixie, bookworm and bullseye'],
    ['mox@trixie', 'mox comes as 0.0.15'],
    ['postfx@bullseye', 'did you mean postfix@bullseye?'],
    ['exmi', 'did you mean exim?'],
  ]
  for (const [name, advice] of said)
    it(`is told what there is instead: ${name}`, () =>
      assert.throws(() => bundledGateway(name), {
        name: 'InputError',
        message: `there is no gateway ${name}; ${advice}`,
      }))
})
