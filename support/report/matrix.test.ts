import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { HOSTILE, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import { keepsMatrixSchema } from '../test-bed/fixtures/schemas.ts'
import { ENDED_BY_ITSELF, type Verdict, type VerdictName } from '../verdicts/verdict.ts'
import { type Column, matrixHtml, matrixMarkdown, matrixOf } from './matrix.ts'
import { mergedRecord } from './merge.ts'
import { readReport, verdictsIn, type WrittenReport } from './read.ts'
import { type RunRecord, verdictsDocument } from './run-record.ts'
import { writeReport } from './write.ts'

const { requirements } = loadCatalogue()

describe('a written report', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'merge-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Each half of a run as a report of its own. */
  async function halves(): Promise<[RunRecord, string, string]> {
    const whole = sampleRun()
    const middle = Math.floor(whole.verdicts.length / 2)
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    await writeReport(one, { ...whole, verdicts: whole.verdicts.slice(0, middle) }, requirements, '{"a":1}\n')
    await writeReport(two, { ...whole, verdicts: whole.verdicts.slice(middle) }, requirements, '{"b":1}\n')
    return [whole, one, two]
  }

  it('can be read again, with all of its evidence', async () => {
    const whole = sampleRun()
    const dir = join(folder, 'whole')
    await writeReport(dir, whole, requirements, '{"a":1}\n')
    const { record, messages } = readReport(dir)
    assert.equal(messages, '{"a":1}\n')
    assert.deepEqual(
      record.verdicts.map(({ seen }) => seen.conversations.length),
      whole.verdicts.map(({ seen }) => seen.conversations.length),
    )
    assert.deepEqual(verdictsDocument(record, []).totals, verdictsDocument(whole, []).totals)
  })

  it('of two shards is merged into the whole', async () => {
    const [whole, one, two] = await halves()
    const merged = mergedRecord([readReport(one), readReport(two)], 'mail-tls merge')
    assert.deepEqual(
      merged.verdicts.map(({ scenario, verdict }) => [scenario, verdict]),
      whole.verdicts.map(({ scenario, verdict }) => [scenario, verdict]),
    )
    assert.deepEqual(merged.totals, whole.totals)
  })

  it('is partial when it is merged of shards of which one is', async () => {
    const [whole, one, two] = await halves()
    const [first, second] = [readReport(one), readReport(two)]
    const done = first.record.verdicts.filter(({ verdict }) => verdict !== 'stale').length
    Object.assign(second.record, { partial: true, planned: 100, strict: true })
    const merged = mergedRecord([first, second], '')
    assert.deepEqual([merged.partial, merged.planned, merged.strict], [true, done + 100, true])
    assert.deepEqual(mergedRecord([first, readReport(two)], '').partial, whole.partial)
    Reflect.deleteProperty(second.record, 'planned')
    assert.ok(!('planned' in mergedRecord([first, second], '')))
  })

  it('is not merged with itself, nor with one of another version', async () => {
    const [, one, two] = await halves()
    assert.throws(() => mergedRecord([readReport(one), readReport(one)], ''), /do not overlap/)
    const other = readReport(two)
    other.record.gateway = { ...other.record.gateway, version: '99.1' }
    assert.throws(() => mergedRecord([readReport(one), other], ''), /99\.1 cannot be merged/)
  })

  describe('of a part of a run', () => {
    const part = (index: number, count: number, dir = `part-${index}`) => ({
      dir,
      record: { ...sampleRun(), verdicts: [], shard: { index, count } },
      messages: '',
    })
    const refuses = (parts: WrittenReport[], message: string) =>
      assert.throws(() => mergedRecord(parts, ''), { name: 'InputError', message })

    it('is merged with all the others, in any order, into what is no part', () => {
      assert.equal('shard' in mergedRecord([part(3, 3), part(1, 3), part(2, 3)], ''), false)
    })

    it('is partial without the others, which are named', () => {
      const told = (parts: ReturnType<typeof part>[]) => {
        const { partial, missing } = mergedRecord(parts, '')
        return [partial, missing]
      }
      assert.deepEqual(told([part(1, 3), part(2, 3)]), [true, { shards: [3], count: 3 }])
      assert.deepEqual(told([part(2, 4)]), [true, { shards: [1, 3, 4], count: 4 }])
      assert.deepEqual(told([part(2, 2), part(1, 2)]), [false, undefined])
    })

    it('is merged no further once it is merged without the others', () => {
      const merged = { ...part(1, 2), record: mergedRecord([part(1, 2)], ''), dir: 'merged' }
      assert.deepEqual(mergedRecord([merged], '').missing, { shards: [2], count: 2 })
      refuses([merged, part(2, 2)], 'merged: is merged already; name the shards that it is made of')
    })

    it('is refused twice, and with a part of another whole', () => {
      refuses(
        [part(1, 2), part(2, 2), part(1, 2, 'again')],
        'again: part 1 of 2 of haraka is in part-1 already',
      )
      refuses([part(1, 2), part(2, 3)], 'part-2: part 2 of 3 of haraka, but part-1 is one of 2')
    })

    it('says in verdicts.json which one it is', async () => {
      const dir = join(folder, 'part')
      await writeReport(dir, part(2, 3).record, requirements, '')
      assert.deepEqual(readReport(dir).record.shard, { index: 2, count: 3 })
    })
  })

  it('is read as of schema 1, too', async () => {
    const dir = join(folder, 'schema-1')
    await writeReport(dir, sampleRun(), requirements, '')
    const file = join(dir, 'verdicts.json')
    const { partial, strict, exit, command, ...older } = JSON.parse(readFileSync(file, 'utf8'))
    const verdicts = older.verdicts.map(
      ({ symptom, statement, ...verdict }: Verdict & { statement: string }) => verdict,
    )
    writeFileSync(file, JSON.stringify({ ...older, schema: 1, verdicts }))
    const read = verdictsIn(dir)
    assert.deepEqual(
      [read.schema, read.partial, read.strict, read.exit, read.command],
      [2, false, false, exit, ''],
    )
    assert.deepEqual(readReport(dir).record.totals, sampleRun().totals)
  })

  const refused = (what: string, text: string, message: RegExp) =>
    it(`is refused when it is ${what}`, () => {
      const dir = mkdtempSync(join(folder, 'bad-'))
      writeFileSync(join(dir, 'verdicts.json'), text)
      assert.throws(() => readReport(dir), { name: 'InputError', message })
    })
  refused('no JSON', '{', /verdicts\.json: /)
  refused('of another format', '{"schema": 3, "verdicts": [], "gateway": {"name": "x"}}', /schema 1 or 2/)
  refused(
    'with an unknown verdict',
    `{"schema": 1, "verdicts": [${JSON.stringify({ requirement: 'R', level: 'must', actor: 'sender', scenario: 's', title: 't', detail: 'd', verdict: 'perhaps' })}], "gateway": {"name": "x"}}`,
    /"perhaps" is no verdict/,
  )
  refused(
    'with half a verdict',
    '{"schema": 1, "verdicts": [{"verdict": "conformant"}], "gateway": {"name": "x"}}',
    /verdicts\[0\]\.requirement: must be a text/,
  )
  refused(
    'a part of nothing',
    '{"schema": 1, "verdicts": [], "gateway": {"name": "x"}, "shard": {"index": 3, "count": 2}}',
    /\{"index":3,"count":2\} is no part of a run/,
  )
  it('is refused when there is none', () => {
    assert.throws(() => readReport(join(folder, 'nowhere')), /no report/)
  })
})

describe('a matrix', () => {
  const about = { suite: { name: 's', version: '1', commit: 'abc' }, at: new Date('2026-11-24T12:00:00Z') }
  const document = verdictsDocument(sampleRun(), requirements)
  const better = {
    ...document,
    gateway: { ...document.gateway, name: 'better' },
    exit: 0 as const,
    verdicts: document.verdicts.map(verdict => ({ ...verdict, verdict: 'conformant' as const })),
  }
  const columns: Column[] = [
    { name: 'one', folder: 'one', document },
    { name: 'better', folder: 'better', document: better },
    { name: 'gone', folder: 'gone', failure: 'no engine answers' },
  ]
  const matrix = matrixOf(columns, requirements, about)

  it('puts what fails a run first, then what differs, then what differs in claims alone', () => {
    const ids = requirements.slice(0, 6).map(({ id }) => id)
    const judgedAs = (name: string, verdicts: VerdictName[]): Column => ({
      ...{ name, folder: name },
      document: {
        ...document,
        verdicts: verdicts.map((verdict, n) => ({ ...document.verdicts[0]!, requirement: ids[n]!, verdict })),
      },
    })
    const { rows } = matrixOf(
      [
        judgedAs('a', ['conformant', 'inapplicable', 'declined', 'lab-error', 'stale', 'non-conformant']),
        judgedAs('b', ['conformant', 'conformant', 'conformant', 'inapplicable', 'stale', 'conformant']),
      ],
      requirements,
      about,
    )
    assert.deepEqual(
      rows.map(({ id }) => id),
      [...ids].reverse(),
    )
  })

  it('says which gateways passed', () => {
    assert.deepEqual(
      matrix.columns.map(({ exit }) => exit),
      [2, 0, 2],
    )
    const page = matrixHtml(matrix)
    assert.match(page, /better 3\.3\.4<\/dt><dd><strong class="exit-0">passed<\/strong>, OpenSSL/)
    assert.match(matrixMarkdown(matrix), /^- better: passed$/m)
    assert.match(matrixMarkdown(matrix), /`-`: the requirement was not judged/)
  })

  it('has the gateway with each verdict, for a screen without room for columns', () => {
    const page = matrixHtml(matrix)
    assert.equal(page.match(/<td data-label="better">/g)?.length, matrix.rows.length)
    assert.match(page, /td::before \{ content: attr\(data-label\)/)
  })

  it('has a headline without a sign at the end of its first line', () => {
    assert.match(
      matrixHtml(matrix),
      /<h1>\d+ requirements, 3 gateways <span>The gateways differ in \d+ requirements\.<\/span>/,
    )
    assert.match(matrixHtml(matrixOf(columns.slice(0, 1), requirements, about)), /, 1 gateway<\/h1>/)
  })

  it('lets the worst example of a requirement decide', () => {
    const broken = document.verdicts.find(({ verdict }) => verdict === 'non-conformant')!
    const row = matrix.rows.find(({ id }) => id === broken.requirement)!
    assert.equal(row.cells[0]!.verdict, 'non-conformant')
    assert.equal(row.cells[1]!.verdict, 'conformant')
    assert.equal(row.cells[2]!.verdict, undefined)
    assert.equal(row.cells[0]!.link, `one/report.html#${broken.requirement}`)
  })

  it('says that a run was interrupted', () => {
    const partial = { ...document, partial: true, exit: 2 as const }
    const made = matrixOf([{ name: 'one', folder: 'one', document: partial }], requirements, about)
    assert.match(matrixHtml(made), /<strong class="exit-2">partial<\/strong>/)
    assert.match(matrixMarkdown(made), /^- one: partial$/m)
  })

  it('says first that a gateway ended by itself', () => {
    const [first] = document.verdicts
    const verdicts = [{ ...first!, verdict: 'non-conformant' as const, symptom: ENDED_BY_ITSELF }]
    const column = { name: 'one', folder: 'one', document: { ...document, verdicts } }
    const made = matrixOf([column], requirements, about)
    assert.equal(made.columns[0]!.ended, 'one ended by itself in 1 of 1 example')
    assert.match(
      matrixHtml(made),
      /<h1>one ended by itself in 1 of 1 example <span>1 requirement, 1 gateway\.</,
    )
    assert.match(matrixMarkdown(made), /^- one: .*: \*\*one ended by itself in 1 of 1 example\*\*$/m)
    keepsMatrixSchema(JSON.parse(JSON.stringify({ schema: 1, ...made })))
  })

  it('keeps to the schema of matrix.json, which knows every key', () => {
    const columns: Column[] = [
      { name: 'one', folder: 'one', document },
      { name: 'two', folder: 'two', failure: 'no engine' },
    ]
    const made = JSON.parse(JSON.stringify({ schema: 1, ...matrixOf(columns, requirements, about) }))
    keepsMatrixSchema(made)
    assert.deepEqual([made.columns[0].strict, made.columns[1].strict], [false, undefined])
    assert.throws(() => keepsMatrixSchema({ ...made, rows: [{}] }))
  })

  it('says why a gateway has no result', () => {
    assert.match(matrixHtml(matrix), /no result<\/strong>: no engine answers/)
    assert.match(matrixMarkdown(matrix), /gone: no result: no engine answers/)
  })

  it('lets nothing from a gateway be markup', () => {
    const hostile: Column[] = HOSTILE.map((name, n) => ({
      name,
      folder: `f${n}`,
      document: {
        ...document,
        gateway: { ...document.gateway, version: name },
        verdicts: document.verdicts.map(verdict => ({ ...verdict, detail: name })),
      },
    }))
    const page = matrixHtml(matrixOf(hostile, requirements, about))
    assert.doesNotMatch(page, /<script|<img|<svg onload|' onmouseover='/)
    assert.doesNotMatch(page, /\u001b|\u202e/)
  })
})
