import assert from 'node:assert/strict'
import { type CommandResult, detailsOf, externalBed, options, problemsIn } from './bed.ts'

describe('a gateway of which the user gives the address alone', () => {
  const { startGateway, address, checkTarget } = externalBed()

  it('is judged as a receiver', async () => {
    await startGateway()
    const judged = ({ verdicts }: CommandResult) =>
      new Set(
        verdicts.flatMap(({ requirement, verdict }) => (verdict === 'inapplicable' ? [] : [requirement])),
      )
    const alone = await checkTarget(address())
    // Its certificate is from an authority that the system does not know, and an address has no name to expect in it.
    const other = (result: CommandResult) =>
      problemsIn(result).filter(
        text => !/no trusted root|without a mailbox|known by an address alone/.test(text),
      )
    assert.deepEqual(other(alone), [])
    assert.ok(judged(alone).has('RFC3207-07') && !judged(alone).has('EXO-VER-03'))
    assert.match(detailsOf(alone, 'EXO-VER-03').join(), /no recipient is known: give one with --recipient/)
    const more = await checkTarget(address(), '--recipient', 'inbox@gateway.test', ...options('EXO-VER-03'))
    assert.deepEqual(other(more), [])
    assert.ok(judged(more).has('EXO-VER-03'))
    assert.deepEqual([alone.status, more.status], [0, 0])
  })

  it('is found out if it breaks what a receiver must do', async () => {
    await startGateway({ defect: 'executes inside TLS what came in clear behind STARTTLS' })
    const result = await checkTarget(address(), ...options('RFC3207-07'), '--quiet')
    assert.equal(result.status, 1)
    assert.equal(result.out, '')
    assert.match(problemsIn(result).join(), /RFC3207-07 .*: non-conformant/)
  })
})
