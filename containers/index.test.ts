import assert from 'node:assert/strict'
import { bundledGateway } from './index.ts'

describe('the name of an unknown gateway', () => {
  const given: [name: string, advice: string][] = [
    ['sendmail@', 'sendmail has the releases trixie, bookworm and bullseye'],
    ['postfix@buster', 'postfix has the releases trixie, bookworm and bullseye'],
    ['postfix@', 'postfix has the releases trixie, bookworm and bullseye'],
    ['mox@trixie', 'mox has the release 0.0.15'],
    ['postfx@bullseye', 'did you mean postfix@bullseye?'],
    ['exmi', 'did you mean exim?'],
  ]
  for (const [name, advice] of given)
    it(`is an error with advice: ${name}`, () =>
      assert.throws(() => bundledGateway(name), {
        name: 'InputError',
        message: `there is no gateway ${name}; ${advice}`,
      }))
})
