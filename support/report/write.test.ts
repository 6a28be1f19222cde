import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { InputError } from '../input-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { REPORT_FILES } from '../test-bed/fixtures/report-files.ts'
import { hostileRun, RECORDED, sampleRun, TRIED } from '../test-bed/fixtures/sample-run.ts'
import { keepsVerdictsSchema } from '../test-bed/fixtures/schemas.ts'
import { VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import { readReport } from './read.ts'
import type { RunRecord, VerdictsDocument } from './run-record.ts'
import schema from './verdicts.schema.json' with { type: 'json' }
import { mustBeWritable, writableFolder, writeReport } from './write.ts'

describe('writeReport', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'report-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const write = (dir: string, record: RunRecord = sampleRun()) =>
    writeReport(dir, record, loadCatalogue().requirements, '{"meta":{}}\n')
  const documentIn = (dir: string): VerdictsDocument =>
    JSON.parse(readFileSync(join(dir, 'verdicts.json'), 'utf8'))

  it('makes a folder with all parts of a report, and its parents', async () => {
    await write(join(root, 'reports/haraka'))
    assert.deepEqual(readdirSync(join(root, 'reports')), ['haraka'])
    assert.deepEqual(readdirSync(join(root, 'reports/haraka')).sort(), ['evidence', ...REPORT_FILES])
    assert.equal(readFileSync(join(root, 'reports/haraka/messages.ndjson'), 'utf8'), '{"meta":{}}\n')
  })

  it('keeps to the contract of verdicts.json, key by key', async () => {
    const record = hostileRun()
    Object.assign(record.gateway, { secret: 1 })
    Object.assign(record.verdicts[0]!, { extra: 1, evidence: 'elsewhere' })
    await write(join(root, 'r'), record)
    const document = documentIn(join(root, 'r'))
    assert.deepEqual(
      [Object.keys(document), Object.keys(document.suite), Object.keys(document.gateway)],
      [
        [
          ...['schema', 'partial', 'strict', 'exit', 'command'],
          ...[
            'suite',
            'gateway',
            'profiles',
            'startedAt',
            'durationMs',
            'circumstances',
            'causes',
            'totals',
            'verdicts',
          ],
        ],
        ['name', 'version', 'commit'],
        ['name', 'version', 'library', 'kind'],
      ],
    )
    assert.deepEqual(Object.keys(document.totals), [...VERDICTS])
    assert.deepEqual([document.schema, document.partial, document.exit], [2, false, 2])
    for (const verdict of document.verdicts) {
      const keys = [
        ...['requirement', 'level', 'actor', 'scenario', 'title', 'control', 'verdict', 'detail'],
        ...['symptom', 'statement'],
      ]
      const { evidence, circumstances, expected, cause, deviation } = verdict
      const some = [
        ...(deviation ? ['deviation'] : []),
        ...(expected ? ['expected'] : []),
        ...(cause ? ['cause'] : []),
        ...(circumstances ? ['circumstances'] : []),
        ...(evidence ? ['evidence'] : []),
      ]
      assert.deepEqual(Object.keys(verdict), [...keys, ...some, 'durationMs'])
      if (evidence) assert.ok(existsSync(join(root, 'r', evidence, 'example.json')), evidence)
    }
    assert.ok(document.verdicts.some(({ evidence }) => evidence === undefined))
    const { statement } = loadCatalogue().get(document.verdicts[0]!.requirement)
    assert.equal(document.verdicts[0]!.statement, statement)
    const deviating = document.verdicts.find(({ verdict }) => verdict === 'deviates')!
    assert.ok(deviating.symptom && !deviating.symptom.includes('(recorded'), deviating.symptom)
    assert.deepEqual(
      document.verdicts.map(({ title }) => title),
      record.verdicts.map(({ title }) => title),
    )
  })

  it('keeps to the schema of verdicts.json, which knows every key', async () => {
    const partial = { partial: true, planned: 9, missing: { shards: [2], count: 2 } }
    const runs = [hostileRun(), { ...sampleRun(), ...partial, circumstances: TRIED, setUp: 'no mail passes' }]
    const shard = { index: 1, count: 2 }
    runs[0]!.verdicts[0]!.again = true
    for (const run of [...runs, { ...sampleRun(), shard }]) {
      await write(join(root, 'r'), run)
      keepsVerdictsSchema(documentIn(join(root, 'r')))
    }
    const written = documentIn(join(root, 'r'))
    assert.throws(() => keepsVerdictsSchema({ ...written, more: 1 }), /must NOT have additional properties/)
    assert.throws(() => keepsVerdictsSchema({ ...written, exit: 3 }), /allowedValues/)
    const explained = readFileSync(join(PACKAGE_ROOT, 'docs/verdicts-json.md'), 'utf8')
    const { properties } = schema
    for (const key of [...Object.keys(properties), ...Object.keys(properties.verdicts.items.properties)])
      assert.ok(explained.includes(`\`${key}\``), `docs/verdicts-json.md does not explain ${key}`)
  })

  it('has all of a recorded deviation in verdicts.json, and can read it again', async () => {
    await write(join(root, 'r'))
    const of = (name: VerdictName) =>
      documentIn(join(root, 'r')).verdicts.find(({ verdict }) => verdict === name)!
    assert.deepEqual(of('deviates').deviation, RECORDED)
    assert.equal(of('conformant').deviation, undefined)
    const { record } = readReport(join(root, 'r'))
    assert.deepEqual(record.verdicts.find(({ verdict }) => verdict === 'deviates')!.deviation, RECORDED)
  })

  it('says in verdicts.json that a run is partial, and how many examples it was to judge', async () => {
    await write(join(root, 'r'), { ...sampleRun(), partial: true, planned: 259 })
    const { partial, planned, exit } = documentIn(join(root, 'r'))
    assert.deepEqual([partial, planned, exit], [true, 259, 2])
  })

  it('keeps every conversation in full, for machines and for people', async () => {
    await write(join(root, 'r'))
    const folder = join(root, 'r/evidence/EXO-FRC-04/a-partner-that-has-tls-again-at-the-next-attempt-38')
    assert.deepEqual(readdirSync(folder).sort(), [
      'conversation-1.json',
      'conversation-2.json',
      'example.json',
      'transcript-1.txt',
      'transcript-2.txt',
    ])
    const { seen } = sampleRun().verdicts.find(({ title }) => title.includes('at the next attempt'))!
    const conversation = JSON.parse(readFileSync(join(folder, 'conversation-1.json'), 'utf8'))
    assert.deepEqual(conversation.events, seen.conversations[0]!.events)
    const { steps, notes } = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8'))
    assert.deepEqual({ steps, notes }, { steps: seen.steps, notes: seen.notes })
  })

  it('keeps what came of an example under circumstances, the broken and unclear ones in verdicts.json', async () => {
    await write(join(root, 'r'))
    const { verdicts, circumstances } = documentIn(join(root, 'r'))
    assert.deepEqual(circumstances, sampleRun().circumstances)
    const ran = verdicts.filter(verdict => verdict.circumstances)
    const originals = sampleRun().verdicts.filter(verdict => verdict.circumstances)
    assert.deepEqual(
      ran.map(verdict => verdict.circumstances),
      originals.map(verdict => verdict.circumstances),
    )
    const { record } = readReport(join(root, 'r'))
    assert.deepEqual(
      record.verdicts.flatMap(({ seen }) => (seen.cells ? [seen.cells] : [])),
      originals.map(({ seen }) => seen.cells),
    )
    assert.equal(ran[0]!.circumstances!.cells.filter(({ verdict }) => verdict === 'conformant').length, 0)
  })

  it('writes into an empty folder', async () => {
    mkdirSync(join(root, 'r'))
    await write(join(root, 'r'))
    assert.ok(existsSync(join(root, 'r/report.html')))
  })

  it('replaces an older report as a whole', async () => {
    await write(join(root, 'r'))
    writeFileSync(join(root, 'r/evidence/old'), '')
    await write(join(root, 'r'), { ...sampleRun(), durationMs: 1 })
    assert.equal(documentIn(join(root, 'r')).durationMs, 1)
    assert.ok(!existsSync(join(root, 'r/evidence/old')))
    assert.deepEqual(readdirSync(root), ['r'])
  })

  it('replaces what a link points to, and not the link', async () => {
    mkdirSync(join(root, 'real'))
    symlinkSync(join(root, 'real'), join(root, 'latest'))
    await write(join(root, 'latest'))
    assert.ok(existsSync(join(root, 'real/report.html')))
    assert.deepEqual(readdirSync(root).sort(), ['latest', 'real'])
  })

  it('leaves an older report alone when the new one cannot be completed', async () => {
    await write(join(root, 'r'))
    const record = sampleRun()
    const [conversation] = record.verdicts[0]!.seen.conversations
    Object.assign(conversation!, {
      toJSON() {
        throw new Error('out of memory')
      },
    })
    await assert.rejects(write(join(root, 'r'), { ...record, durationMs: 1 }), /out of memory/)
    assert.equal(documentIn(join(root, 'r')).durationMs, sampleRun().durationMs)
    assert.deepEqual(readdirSync(root), ['r'])
  })

  it('leaves alone what is no report', async () => {
    mkdirSync(join(root, 'home'))
    writeFileSync(join(root, 'home/thesis.txt'), 'years of work')
    await assert.rejects(write(join(root, 'home')), InputError)
    await assert.rejects(write(join(root, 'home/thesis.txt')), InputError)
    await assert.rejects(write(join(root, 'home/thesis.txt/below')), InputError)
    assert.deepEqual(readdirSync(root, { recursive: true }).sort(), ['home', 'home/thesis.txt'])
  })
})

describe('a place for a report', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'report-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Nobody may make anything there, not even root. */
  const BARRED = ['/proc/report', '/proc/reports/of/haraka', '/proc/self/report']

  for (const dir of BARRED)
    it(`is refused before a run where nothing can be made: ${dir}`, async () => {
      for (const asked of [mustBeWritable, writableFolder])
        await assert.rejects(asked(dir), {
          name: 'InputError',
          message: new RegExp(`^${dir}: the report cannot be written: E`),
        })
      const written = writeReport(dir, sampleRun(), [], '')
      await assert.rejects(written, { name: 'InputError', message: /the report cannot be written/ })
    })

  it('is refused before a run below a file', async () => {
    writeFileSync(join(root, 'file'), '')
    await assert.rejects(mustBeWritable(join(root, 'file/below/it')), { name: 'InputError' })
    await assert.rejects(writableFolder(join(root, 'file')), { name: 'InputError' })
  })

  it('gets its parents, and nothing else', async () => {
    await Promise.all(['haraka', 'exim'].map(name => mustBeWritable(join(root, 'reports/of', name))))
    assert.deepEqual(readdirSync(root, { recursive: true }).sort(), ['reports', 'reports/of'])
    await writableFolder(join(root, 'matrix'))
    assert.deepEqual(readdirSync(root).sort(), ['matrix', 'reports'])
    assert.deepEqual(readdirSync(join(root, 'matrix')), [])
  })

  it('keeps what it is: an older report, an empty folder, a link', async () => {
    await writeReport(join(root, 'old'), sampleRun(), loadCatalogue().requirements, '')
    mkdirSync(join(root, 'empty'))
    symlinkSync(join(root, 'old'), join(root, 'latest'))
    symlinkSync(join(root, 'later'), join(root, 'next'))
    const before = readdirSync(root, { recursive: true }).sort()
    for (const name of ['old', 'empty', 'latest', 'next']) await mustBeWritable(join(root, name))
    assert.deepEqual(readdirSync(root, { recursive: true }).sort(), before)
  })
})
