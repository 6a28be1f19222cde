import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { elements } from '../test-bed/fixtures/html.ts'
import { HOSTILE, hostileRun, largeRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { keepsMatrixSchema, keepsVerdictsSchema } from '../test-bed/fixtures/schemas.ts'
import { totals, type VerdictName } from '../verdicts/verdict.ts'
import { findingsOf } from './findings.ts'
import { html } from './html.ts'
import { matrixHtml, matrixMarkdown, matrixOf } from './matrix.ts'
import { mergedRecord } from './merge.ts'
import { type RunRecord, verdictsDocument } from './run-record.ts'
import { type Judged, sinceOf } from './since.ts'
import { summary } from './summary.ts'

const { requirements } = loadCatalogue()

/** A run of one example of each requirement R1, R2, …; none where there is no verdict. */
function run(...names: (VerdictName | undefined)[]): RunRecord {
  const record = largeRun(names.length)
  const verdicts = record.verdicts.flatMap((one, n) => {
    const verdict = names[n]
    return verdict === undefined
      ? []
      : [{ ...one, requirement: `R${n + 1}`, verdict, title: `example ${n + 1}` }]
  })
  return { ...record, totals: totals(verdicts), verdicts }
}

const document = (record: RunRecord) => verdictsDocument(record, requirements)

const BEFORE = run('conformant', 'non-conformant', 'conformant', undefined, 'conformant')
const AFTER = run('non-conformant', 'conformant', undefined, 'conformant', 'conformant')
const ALL: Judged = { requirements: new Set(['R1', 'R2', 'R3', 'R4', 'R5']), whole: true }

/** A run with what changed since an earlier one. */
const compared = (before: RunRecord, after: RunRecord, judged: Judged = ALL): RunRecord => ({
  ...after,
  since: sinceOf(document(before), document(after), judged),
})

const changes = (judged: Judged) =>
  Object.fromEntries(
    Object.entries(compared(BEFORE, AFTER, judged).since!.changes).map(([kind, all]) => [
      kind,
      all.map(({ requirement }: { requirement: string }) => requirement),
    ]),
  )

describe('what changed since an earlier run', () => {
  it('is what got worse, better, lost and gained', () =>
    assert.deepEqual(changes(ALL), {
      ...{ worse: ['R1'], otherwise: [], lost: ['R3'], better: ['R2'], gained: ['R4'] },
    }))

  it('says nothing of requirements that the run was not to judge', () =>
    assert.deepEqual(changes({ ...ALL, requirements: new Set(['R1', 'R2', 'R4']) })['lost'], []))

  it('calls nothing lost where a part of the examples ran alone', () =>
    assert.deepEqual(changes({ ...ALL, whole: false })['lost'], []))

  it('is in verdicts.json, by its schema', () => {
    const written = document(compared(BEFORE, AFTER))
    keepsVerdictsSchema(written)
    assert.equal(written.since!.startedAt, BEFORE.startedAt)
    assert.deepEqual(written.since!.changes.worse[0]!.before!.verdict, 'conformant')
    assert.ok(!('since' in document(AFTER)))
  })

  it('is in no merged report, of which the verdicts may be others', () => {
    const report = { dir: 'one', record: compared(BEFORE, AFTER), messages: '' }
    assert.ok(!('since' in mergedRecord([report], 'mail-tls merge')))
  })

  describe('in a report', () => {
    const page = (record: RunRecord) => html(findingsOf(record, requirements))
    const text = page(compared(BEFORE, AFTER))

    it('comes first, the worst first, with the verdicts of both runs', () => {
      const [section] = /<section id="since".*?<\/section>/s.exec(text)!
      assert.ok(text.indexOf('id="since"') < text.indexOf('id="attention"'))
      assert.match(
        section!,
        /Since the run of .* UTC against haraka 3\.3\.4: 1 example worse, 1 not judged any more/,
      )
      assert.deepEqual(
        [...section!.matchAll(/<h3>(.*?) </g)].map(([, title]) => title),
        ['Worse', 'Not judged any more', 'Better', 'Judged now and not before, and not broken'],
      )
      assert.match(section!, /href="#R1".*#s-conformant.*#s-non-conformant.*example 1/)
      assert.match(section!, /<code>R3<\/code>.*not in the run/)
    })

    it('is not there where no run was named, and says so where nothing changed', () => {
      assert.ok(!page(AFTER).includes('Since the'))
      assert.match(page(compared(AFTER, AFTER)), /haraka 3\.3\.4: nothing changed\./)
    })

    it('says that the earlier run was partial', () =>
      assert.match(
        page(compared({ ...BEFORE, partial: true }, AFTER)),
        /haraka 3\.3\.4, which was partial: /,
      ))

    it('names no more than a person reads', () => {
      const [good, bad] = (['conformant', 'non-conformant'] as const).map(verdict =>
        run(...Array.from({ length: 120 }, () => verdict)),
      )
      const all = new Set(bad!.verdicts.map(({ requirement }) => requirement))
      const long = compared(good!, bad!, { requirements: all, whole: true })
      const [section] = /<section id="since".*?<\/section>/s.exec(page(long))!
      assert.equal(section!.match(/<li>/g)!.length, 101)
      assert.match(section!, /and 20 more in verdicts\.json/)
      assert.match(summary(findingsOf(long, requirements)), /\n\n70 more in `report\.html`/)
    })

    it('lets no text of another server become markup', () => {
      const hostile = hostileRun()
      const all = new Set(hostile.verdicts.map(({ requirement }) => requirement))
      const worse = hostile.verdicts.map(one => ({ ...one, verdict: 'non-conformant' as const }))
      const better = { ...hostile, verdicts: worse.map(one => ({ ...one, verdict: 'conformant' as const })) }
      const record = compared(
        { ...better, gateway: { ...better.gateway, name: HOSTILE.join(' ') } },
        { ...hostile, verdicts: worse },
        { requirements: all, whole: true },
      )
      assert.ok(record.since!.changes.worse.length > 0)
      const shapes = (of: RunRecord) => new Set(elements(page(of)).map(({ tag }) => tag))
      const known = new Set([...shapes(sampleRun()), ...shapes(compared(BEFORE, AFTER))])
      for (const tag of shapes(record)) assert.ok(known.has(tag), tag)
      const told = summary(findingsOf(record, requirements))
      assert.ok(!/<(?!!)/.test(told) && !/(?<!\\)\[/.test(told) && !told.includes('://'))
    })
  })

  it('is in summary.md, the worst first', () => {
    const told = summary(findingsOf(compared(BEFORE, AFTER), requirements))
    assert.match(
      told,
      /### Since the last run\n\n.*: 1 example worse, 1 not judged any more, 1 better, 1 judged now and not before\.\n\n\| change .*\n\| ---.*\n\| Worse \| R1 \| example 1 \| conformant \| non-conformant \| .*\n\| Not judged any more \| R3 .*\n\| Better \| R2 .*\n\n/,
    )
    assert.ok(!summary(findingsOf(AFTER, requirements)).includes('Since'))
  })

  describe('in a matrix', () => {
    const catalogue = requirements.slice(0, 5).map((one, n) => ({ ...one, id: `R${n + 1}` }))
    const matrix = matrixOf(
      [{ name: 'haraka', folder: 'haraka', document: document(compared(BEFORE, AFTER)) }],
      catalogue,
      { suite: BEFORE.suite, at: new Date('2026-11-30') },
    )

    it('stands beside the gateway and in the cell, by the schema', () => {
      keepsMatrixSchema({ schema: 1, ...matrix })
      assert.match(matrixHtml(matrix), /; since \d{4}-\d\d-\d\d 1 example worse, .*<\/dd>/)
      assert.match(matrixHtml(matrix), /non-conformant<\/span><\/a> <span class="n">worse<\/span>/)
      assert.match(matrixMarkdown(matrix), /\[non-conformant\]\(\S+\) \(worse\) \|/)
      assert.match(matrixMarkdown(matrix), /^- haraka: not passed; since \S+ 1 example worse/m)
    })
  })
})
