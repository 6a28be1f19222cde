import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import { type VerdictsDocument, verdictsDocument } from '../report/run-record.ts'
import { largeRun } from '../test-bed/fixtures/sample-run.ts'
import { ENDED_BY_ITSELF, type VerdictName } from '../verdicts/verdict.ts'
import { type ChildEnd, judged, resultOf, targetsOf } from './matrix.ts'
import { foldersOf } from './matrix-files.ts'

/** A run with these verdicts of requirements R1, R2, … */
function run(...names: VerdictName[]): VerdictsDocument {
  const record = largeRun(names.length)
  const verdicts = record.verdicts.map((one, n) => ({
    ...one,
    requirement: `R${n + 1}`,
    verdict: names[n]!,
  }))
  return verdictsDocument({ ...record, verdicts }, [])
}

describe('the line of a matrix for a gateway', () => {
  it('has how much it keeps of what applies', () => {
    assert.equal(resultOf(run('conformant', 'inapplicable', 'declined')), 'keeps 1 of 2')
    assert.equal(resultOf(run('inapplicable')), 'no requirement applies')
  })

  it('names what is behind its exit status', () => {
    assert.equal(
      resultOf(run('lab-error', 'stale', 'non-conformant', 'conformant', 'non-conformant', 'deviates')),
      'keeps 1 of 6, broken: R3 R5, no longer shows: R2, the lab failed on: R1',
    )
  })

  it('says first that the gateway ended by itself', () => {
    const { verdicts, ...rest } = run('conformant', 'non-conformant')
    const ended = verdicts.map(one => ({
      ...one,
      symptom: one.verdict === 'conformant' ? '' : ENDED_BY_ITSELF,
    }))
    assert.equal(
      resultOf({ ...rest, verdicts: ended }),
      'ended by itself in 1 of 2 examples, keeps 1 of 2, broken: R2',
    )
  })

  it('says that it is partial', () => {
    assert.equal(resultOf({ ...run('conformant', 'conformant'), partial: true }), 'partial, keeps 2 of 2')
  })

  it('does not name more than fits', () => {
    const all = Array.from({ length: 10 }, () => 'non-conformant' as const)
    assert.equal(resultOf(run(...all)), 'keeps 0 of 10, broken: R1 R2 R3 R4 R5 R6 R7 R8 and 2 more')
  })
})

describe('what a child of a matrix came to', () => {
  const BEGAN = Date.parse('2026-11-25T10:00:00.000Z')
  const target = { given: 'postfix', name: 'postfix', folder: 'postfix', contained: true }
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'matrix-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** The column, and what was said, where a report stands that was begun so many ms after the child. */
  const cameTo = (
    outcome: Partial<ChildEnd>,
    report: { after: number; verdict: VerdictName } | undefined,
  ) => {
    if (report) {
      const startedAt = new Date(BEGAN + report.after).toISOString()
      const document = { ...run(report.verdict), startedAt }
      mkdirSync(join(folder, 'postfix'))
      writeFileSync(join(folder, 'postfix/verdicts.json'), JSON.stringify(document))
    }
    const out = mock.method(process.stdout, 'write', () => true)
    const err = mock.method(console, 'error', () => {})
    try {
      const column = judged(target, folder, { status: 0, said: '', began: BEGAN, ...outcome })
      const said = err.mock.calls.map(({ arguments: [text] }) => text)
      return { ...column, said }
    } finally {
      out.mock.restore()
      err.mock.restore()
    }
  }
  const nothing = (column: ReturnType<typeof cameTo>, why: RegExp) => {
    assert.ok(!('document' in column))
    assert.match(column.failure, why)
  }

  it('is what its own report says', () => {
    assert.ok('document' in cameTo({}, { after: 0, verdict: 'conformant' }))
    rmSync(join(folder, 'postfix'), { recursive: true })
    assert.ok('document' in cameTo({ status: 1 }, { after: 9, verdict: 'non-conformant' }))
  })

  it('is that also where it could not clear up, or the lab failed, and that is said', () => {
    const left = { status: 2, said: 'something of the run may be left: \x1b[2J' }
    const column = cameTo(left, { after: 9, verdict: 'lab-error' })
    assert.ok('document' in column)
    assert.deepEqual(column.said, ['mail-tls: postfix: something of the run may be left: \\x1b[2J'])
  })

  it('is nothing where the report is an older one', () => {
    const killed = { status: 2, said: 'the run was ended by SIGKILL' }
    nothing(cameTo(killed, { after: -1, verdict: 'lab-error' }), /ended by SIGKILL/)
    rmSync(join(folder, 'postfix'), { recursive: true })
    nothing(cameTo({ status: 0 }, { after: -1, verdict: 'conformant' }), /ended without a report/)
  })

  it('is nothing where it did not end as its report says', () => {
    const crashed = { status: 1, said: 'Uncaught' }
    nothing(cameTo(crashed, { after: 9, verdict: 'conformant' }), /Uncaught/)
  })

  it('is nothing without a report, for a reason that is bounded and that no terminal obeys', () => {
    nothing(cameTo({ status: 2, said: '' }, undefined), /no report/)
    const column = cameTo({ status: 2, said: `\x1b[2J${'x'.repeat(9_000)}` }, undefined)
    nothing(column, /^\\x1b\[2Jx+… \(\d+ more characters\)$/)
    assert.ok('failure' in column && column.failure.length < 1_100)
  })
})

describe('the targets of a matrix', () => {
  const shown = (...given: string[]) => targetsOf(given).map(({ name, folder }) => [name, folder])

  it('have their names and folders', () => {
    assert.deepEqual(shown('postfix', 'postfix@bullseye', 'a/gateway.yaml'), [
      ['postfix', 'postfix'],
      ['postfix@bullseye', 'postfix@bullseye'],
      ['gateway', 'gateway'],
    ])
  })

  it('have different ones where files are called the same, or as a product is', () => {
    assert.deepEqual(shown('a/gateway.yaml', 'b/gateway.yml', 'postfix', './postfix.yaml'), [
      ['a/gateway.yaml', 'gateway'],
      ['b/gateway.yml', 'gateway-2'],
      ['postfix', 'postfix'],
      ['./postfix.yaml', 'postfix-2'],
    ])
  })

  it('are no two of one', () => {
    const twice = { name: 'InputError', message: 'a gateway is named twice' }
    assert.throws(() => targetsOf(['haraka', 'haraka']), twice)
    assert.throws(() => targetsOf(['gateway.yaml', './gateway.yaml']), twice)
  })
})

describe('the folders of a matrix', () => {
  it('are safe, lie in it, and are all different', () => {
    assert.deepEqual(foldersOf(['a b', 'a_b', 'a_b-2', 'A b', '..', '.hidden', '', 'ü/x', 'matrix.json']), [
      'a_b',
      'a_b-2',
      'a_b-2-2',
      'A_b-3',
      '_',
      '_hidden',
      'gateway',
      '__x',
      'matrix.json-2',
    ])
  })
})
