import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { type Catalogue, loadCatalogue } from '../catalogue/catalogue.ts'
import { findingsOf } from '../report/findings.ts'
import { type RunRecord, verdictsDocument } from '../report/run-record.ts'
import { sinceOf } from '../report/since.ts'
import { HOSTILE, hostileRun, largeRun, sampleRun, TRIED } from '../test-bed/fixtures/sample-run.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { terminalSummary } from './terminal-summary.ts'

const catalogue: Catalogue = loadCatalogue()
const report = 'reports/haraka/report.html'

function text(
  record: RunRecord,
  options: { colour?: boolean; columns?: number; report?: string; chosen?: boolean } = {},
): string {
  const findings = findingsOf(record, catalogue.requirements)
  return terminalSummary(findings, { colour: false, columns: 80, report, ...options })
}

/** The first verdicts of a run, as something else. */
function allAs(count: number, ...verdicts: VerdictName[]): RunRecord {
  const record = largeRun(count)
  return {
    ...record,
    verdicts: record.verdicts.map((judged, n) => ({
      ...judged,
      verdict: verdicts[n % verdicts.length]!,
      detail: `what was seen in ${n}`,
    })),
  }
}

describe('the summary on a terminal', () => {
  it('has what changed since an earlier run, at most ten examples of each kind', () => {
    const [before, after] = [allAs(12, 'conformant'), allAs(12, 'non-conformant')]
    const [old, now] = [before, after].map(record => verdictsDocument(record!, []))
    const all = new Set(after.verdicts.map(({ requirement }) => requirement))
    const since = sinceOf(old!, now!, { requirements: all, whole: true })
    const told = text({ ...after, since })
    const [, block] = /\n\n(Since the run of [\s\S]*?)\n\n/.exec(told)!
    const lines = block!.split('\n')
    assert.match(block!, /^Since the run of .* UTC against haraka 3\.3\.4:\nWorse: 12 examples\n/)
    assert.equal(lines.filter(line => line.includes('conformant → non-conformant')).length, 10)
    assert.equal(lines.at(-1), 'and 2 more in the report')
    assert.ok(lines.every(line => stringWidth(line) <= 80))
    assert.doesNotMatch(text(after), /Since/)
  })

  it('has the headline, the counts, what needs attention, the exit status and the report', () => {
    const few = { ...allAs(4, 'conformant', 'deviates', 'non-conformant', 'conformant'), profiles: [] }
    const ids = few.verdicts.map(({ requirement }) => requirement)
    assert.equal(
      text(few),
      `
haraka 3.3.4 keeps 2 of 4 requirements that apply; 1 is broken; 1 deviates as
recorded.

1  ✗ non-conformant  the gateway breaks a must, and that is not recorded
1  ≈ deviates        the gateway breaks it in the way that is recorded
2  ✓ conformant      the gateway keeps it

What needs attention
✗ non-conformant ${ids[2]}  the control fails: a partner with TLS gets the
    mail
    expected  the message arrives over TLS
    seen      what was seen in 2
≈ deviates ${ids[1]}  the control fails: a partner with TLS gets the mail
    expected  the message arrives over TLS
    seen      what was seen in 1

Exit status  1  The gateway breaks a must, and that is not recorded.
Report       reports/haraka/report.html
`,
    )
  })

  it('says what was tried under circumstances, in lines that fit', () => {
    const told = text({ ...allAs(1, 'conformant'), circumstances: TRIED }, { columns: 60 })
    assert.match(
      told,
      /\n\nCircumstances {2}2 examples ran again, in 24 combinations of\ncircumstances\. All/,
    )
    assert.match(told, /\n\nCircumstances [\s\S]*61 judgements in 4 s, 15\.3[\s\S]*SMTPUTF8\.\n\n/)
    assert.doesNotMatch(text(allAs(1, 'conformant')), /Circumstances/)
  })

  it('leaves out what there is nothing to say about', () => {
    const fine = text({ ...largeRun(3), profiles: [] })
    assert.deepEqual(
      fine.split('\n').filter(line => /attention|not part|✗/.test(line)),
      [],
    )
    assert.match(fine, /keeps all 3 requirements/)
  })

  it('says how many requirements of the profiles were not run', () => {
    const unseen = findingsOf(sampleRun(), catalogue.requirements).unseen.length
    assert.ok(
      text(sampleRun()).includes(`\n${unseen} requirements of these profiles were not part of this run.`),
    )
    assert.doesNotMatch(text(sampleRun(), { chosen: true }), /not part of this run/)
  })

  it('lists twenty and counts the others', () => {
    const record = allAs(25, 'non-conformant')
    const lines = text(record).split('\n')
    assert.equal(lines.filter(line => line.startsWith('✗ non-conformant ')).length, 20)
    assert.ok(lines.includes('and 5 more in the report'))
    assert.ok(!text(allAs(20, 'non-conformant')).includes('more in the report'))
  })

  it('says what is required, and what to set in a product that comes with the suite', () => {
    const run = sampleRun()
    const told = (name: string) => text({ ...run, gateway: { ...run.gateway, name } })
    const REQUIRED = '    required  With forced TLS for a recipient domain, a partner that does not'
    assert.ok(told('edge').includes(REQUIRED))
    assert.match(
      told('edge'),
      /\n {4}to do {5}In the rule for this domain, require TLS, .*\n {14}where .*\n✗ stale/,
    )
    assert.match(
      told('postfix@trixie'),
      /\n {14}where .*\n {14}smtp_tls_policy_maps = texthash:\/etc\/postfix\/outbound\n {14}The file has a line/,
    )
  })

  it('leaves the reason of a recorded deviation to the report', () => {
    const line = text(sampleRun()).match(/^≈ deviates EXO.*\n.*\n(?: {4}expected.*\n(?: {14}.*\n)*)?.*/m)?.[0]
    assert.equal(
      line,
      '≈ deviates EXO-FRC-09  a certificate for another name at the level of domain\n' +
        '    validation\n' +
        '    expected  the message stays queued; the wire shows no unencrypted part of\n' +
        '              the message\n' +
        '    seen      delivered although the certificate names another host',
    )
  })

  const exits: [string, RunRecord, RegExp][] = [
    ['0', allAs(2, 'conformant', 'deviates'), /0 {2}The gateway breaks no must, except what is recorded/],
    [
      '1 for what is stale',
      allAs(2, 'conformant', 'stale'),
      /1 {2}A recorded deviation no longer shows: remove its entry/,
    ],
    [
      '1 for two reasons',
      allAs(2, 'non-conformant', 'stale'),
      /1 {2}The gateway breaks a must, and that is not recorded\. A\s+recorded\s+deviation/,
    ],
    [
      '1 when strict',
      { ...allAs(2, 'conformant', 'declined'), strict: true },
      /1 {2}With --strict, nothing may be declined/,
    ],
    [
      '2 for the lab',
      allAs(2, 'non-conformant', 'lab-error'),
      /2 {2}Nothing can be said about the gateway: the lab failed/,
    ],
    [
      '2 for an interrupted run',
      { ...allAs(2, 'conformant', 'non-conformant'), partial: true, planned: 9 },
      /2 {2}Nothing can be said about the gateway: the run was\s+interrupted\./,
    ],
    [
      '2 for an empty run',
      { ...sampleRun(), verdicts: [] },
      /2 {2}Nothing can be said about the gateway: no example ran/,
    ],
    [
      '2 when nothing was decided',
      allAs(2, 'inapplicable', 'inconclusive'),
      /2 {2}Nothing can be said about the gateway: no example\s+applied/,
    ],
  ]
  for (const [name, record, meaning] of exits)
    it(`says what exit status ${name} means`, () => {
      assert.match(text(record), new RegExp(`\nExit status {2}${meaning.source}`))
    })

  for (const columns of [40, 80, 132])
    it(`keeps within ${columns} columns`, () => {
      const long = `/${'a long folder/'.repeat(30)}漢字${'x'.repeat(200)}`
      for (const record of [
        sampleRun(),
        hostileRun(),
        allAs(120, 'declined'),
        { ...sampleRun(), verdicts: [] },
      ]) {
        const widths = text(record, { columns, report: long })
          .split('\n')
          .map(line => stringWidth(line))
        assert.ok(Math.max(...widths) <= columns, `${Math.max(...widths)}`)
        assert.ok(Math.max(...widths) > columns - 5, 'and uses them')
      }
    })

  it('takes a terminal without a width for one of 40 columns', () => {
    assert.equal(text(sampleRun(), { columns: 0 }), text(sampleRun(), { columns: 40 }))
  })

  it('lets no control character of others through', () => {
    const hostile = text(hostileRun(), { report: HOSTILE[5] })
    assert.match(hostile.replaceAll('\n', ''), /^\P{C}*$/u)
    assert.match(hostile, /Report {7}\\x00NUL \\x1b\[31mred/)
  })

  it('is the same in colour', () => {
    const coloured = text(sampleRun(), { colour: true })
    assert.match(coloured, /\x1b\[31m✗ non-conformant/)
    assert.equal(stripVTControlCharacters(coloured), text(sampleRun()))
  })
})
