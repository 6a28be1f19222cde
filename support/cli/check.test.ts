import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { GatewayFailure } from '../gateway-failure.ts'
import { verdictsIn } from '../report/read.ts'
import { Run } from '../run/run.ts'
import { check } from './check.ts'

describe('a check', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-'))
  })
  afterEach(() => {
    mock.restoreAll()
    rmSync(folder, { recursive: true })
  })

  /** Its exit status, and what it complains about. */
  const checked = async () => {
    const out = mock.method(process.stdout, 'write', () => true)
    const err = mock.method(console, 'error', () => {})
    const options = { requirement: ['EXO-FRC-01'], report: join(folder, 'report') }
    const status = await check('reference', options, '0').finally(() => out.mock.restore())
    return { status, complaints: err.mock.calls.map(({ arguments: [text] }) => text) }
  }

  it('that cannot clear up warns of it, and counts', async () => {
    const { stop } = Run.prototype
    mock.method(Run.prototype, 'stop', async function (this: Run) {
      await stop.call(this)
      throw new Error('removing containers took longer than 60 s')
    })
    const { status, complaints } = await checked()
    const said =
      'mail-tls: not everything of this run could be removed or put back: removing containers took longer than 60 s'
    assert.deepEqual([status, complaints], [0, [said]])
    const { totals, verdicts } = verdictsIn(join(folder, 'report'))
    assert.equal(totals.conformant, verdicts.length)
  })

  it('says of a failure what no terminal obeys, and not more than one wants to read', async () => {
    mock.method(Run.prototype, 'mustWork', async () => {
      throw new GatewayFailure(`it said \x1b[2J\n${'x'.repeat(9_000)}`)
    })
    const { status, complaints } = await checked()
    assert.equal(status, 2)
    assert.match(complaints.join(), /^mail-tls: it said \\x1b\[2J\nmail-tls: x+… \(\d+ more characters\)$/)
    assert.ok(complaints.join().length < 4_100)
  })
})
