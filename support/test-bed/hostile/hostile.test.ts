import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pki } from '../../pki/pki.ts'
import { exitStatus } from '../../verdicts/verdict.ts'
import { elements } from '../fixtures/html.ts'
import { junitElements } from '../fixtures/junit-xml.ts'
import { judged, type Misdeed, type Outcome, type Surroundings } from './bed.ts'
import * as inbound from './inbound.ts'
import { DELIVERY, SUBMISSION } from './outbound.ts'

/** Runs side by side. */
const LANES = 6
/** What a run may take more than one against a well-behaved gateway: room for the record of a flood and its report. */
const MORE_MEMORY = 2.5
const MORE_MEMORY_AT_LEAST = 200 * 1024
/** In bytes; the report of a good run has half a megabyte. */
const MAX_REPORT = 32 * 1024 * 1024

const RECEIVER = ['EXO-OPP-07', 'RFC3207-10']
const SMUGGLED = ['RFC3207-07']
const SENDER = ['EXO-FRC-01', 'EXO-OPP-04']

/**
 * C, N and I for conformant, non-conformant and inconclusive, by requirement, in the order of their examples; where
 * that is a matter of the moment, ? for any of them and - for any but conformant.
 */
interface Case {
  name: string
  misdeed: Misdeed
  requirements: readonly string[]
  expected: string
}

const receiving = (
  expected: string,
  group: Record<string, NonNullable<Misdeed['inbound']>>,
  ids = RECEIVER,
) =>
  Object.entries(group).map(
    ([name, does]): Case => ({ name, misdeed: { inbound: does }, requirements: ids, expected }),
  )

const CASES: Case[] = [
  ...receiving('III III', inbound.SILENT),
  ...receiving('--- III', inbound.GONE),
  ...receiving('NNN III', inbound.NO_SESSION),
  ...receiving('NCC CII', inbound.NO_TLS),
  ...receiving('ICC CII', inbound.TLS_SILENT),
  ...receiving('NCN CII', inbound.REFUSES),
  ...receiving('NNN CCC', inbound.NO_MAIL),
  ...receiving('CNN CCC', inbound.CLEAR_ODD),
  ...receiving('ICC CCC', inbound.SLOW),
  ...receiving('??? CCC', inbound.LUCKY),
  ...receiving('CCC CCC', inbound.FINE),
  ...receiving('CIIIIII', { 'is there only once': inbound.MORTAL['is there only once']! }, SMUGGLED),
  ...receiving(
    'CCCIIII',
    { 'is there only three times': inbound.MORTAL['is there only three times']! },
    SMUGGLED,
  ),
  ...receiving(
    'CIIIIII',
    { 'dies of what is smuggled in': inbound.MORTAL['dies of what is smuggled in']! },
    SMUGGLED,
  ),
  ...Object.entries(DELIVERY).map(
    ([name, [expected, delivery]]): Case => ({ name, misdeed: { delivery }, requirements: SENDER, expected }),
  ),
  ...Object.entries(SUBMISSION).map(
    ([name, submission]): Case => ({
      name,
      misdeed: { submission },
      requirements: SENDER,
      expected: 'II II',
    }),
  ),
]

const LETTERS: Record<string, string> = { conformant: 'C', 'non-conformant': 'N', inconclusive: 'I' }
/** A wait was over: on a machine that is busy enough that becomes of anything. */
const WAITED =
  /silent|said nothing|nor a word|control of this rule did not hold|does not greet any more|still open/

/** NUL, ESC, BEL and the like, direction overrides, zero-width characters; what is not UTF-8 becomes U+FFFD. */
const UNSAFE = /[^\P{C}\n\t]|\ufffd/u

describe('a gateway that is broken or hostile', function () {
  this.timeout(20 * 60_000)
  let folder: string
  let baseline: number
  const outcomes = new Map<Case, PromiseWithResolvers<Outcome>>(
    CASES.map(one => [one, Promise.withResolvers()]),
  )

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hostile-'))
    spawnSync(process.execPath, [join(import.meta.dirname, '../../cli/mail-tls.js'), 'init'], { cwd: folder })
    const tls = await certificates()
    const good = await Promise.all([
      judged(join(folder, 'receiver'), {}, RECEIVER, tls),
      judged(join(folder, 'sender'), {}, SENDER, tls),
    ])
    for (const { status, out, err } of good) assert.equal(status, 0, out + err)
    baseline = Math.max(...good.map(({ peak }) => peak))
    const waiting = [...CASES.entries()]
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [n, one] = next
        await judged(join(folder, `case-${n}`), one.misdeed, one.requirements, tls).then(
          outcomes.get(one)!.resolve,
          outcomes.get(one)!.reject,
        )
      }
    }
    for (let n = 0; n < LANES; n++) lane()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('comes in many kinds', () => assert.ok(CASES.length >= 30))

  for (const one of CASES)
    it(`${one.name}: ${one.expected}`, async () => {
      const outcome = await outcomes.get(one)!.promise
      assert.ok(!outcome.killed, 'it did not end by itself')
      // It may be found before anything is judged that nobody is there.
      if (one.name in inbound.GONE && outcome.files.size === 0) {
        assert.match(outcome.err, /^mail-tls: no server accepts connections at [\x20-\x7e]*\n$/)
        assert.equal(outcome.status, 2)
        return
      }
      assert.equal(outcome.err, '')
      assertVerdicts(outcome, one)
      assert.ok(
        outcome.peak < Math.max(MORE_MEMORY * baseline, baseline + MORE_MEMORY_AT_LEAST),
        `${outcome.peak} KiB of memory, where a good gateway takes ${baseline}`,
      )
      assertHarmless(outcome)
    })
})

async function certificates(): Promise<Surroundings['tls']> {
  const pki = new Pki()
  const issue = (names: string[]) => pki.issue({ names, usage: 'server' })
  const names = Array.from({ length: 3_000 }, (_, n) => `host-${n}.gateway.test`)
  inbound.provide('many', await issue(names))
  const odd = ['a\x1b[2J\0\x07b.test', '\u202eover.test, DNS:x', 'mx.gateway.test']
  // node-forge takes characters for bytes.
  inbound.provide('odd', await issue(odd.map(name => Buffer.from(name).toString('latin1'))))
  const { key, certificate } = await issue(['mx.gateway.test'])
  return { key, cert: certificate }
}

function assertVerdicts({ verdicts, status, out }: Outcome, { expected, requirements }: Case): void {
  const judgedOnes = verdicts.filter(({ verdict }) => verdict !== 'inapplicable')
  const ordered = requirements.map(id => judgedOnes.filter(({ requirement }) => requirement === id))
  const said = ordered.map(list => list.map(({ verdict }) => LETTERS[verdict] ?? verdict).join('')).join(' ')
  const details = judgedOnes.map(({ verdict, detail }) => `${verdict}: ${detail}`).join('\n')
  assert.equal(said.length, expected.length, `${said}\n${details}\n${out}`)
  const list = ordered.flat()
  for (const [n, letter] of [...expected.replaceAll(' ', '')].entries()) {
    const { verdict, detail } = list[n]!
    const late = verdict === 'inconclusive' && WAITED.test(detail)
    const any =
      LETTERS[verdict] !== undefined && (letter === '?' || (letter === '-' && verdict !== 'conformant'))
    assert.ok(LETTERS[verdict] === letter || late || any, `${said} and not ${expected}\n${details}`)
  }
  assert.equal(status, exitStatus(verdicts, { strict: false }))
}

/** Nothing that the gateway said does harm where it is shown, and every file is what its name says. */
function assertHarmless({ out, err, files }: Outcome): void {
  const texts = [['standard output', out], ['standard error', err], ...files] as [string, string][]
  let size = 0
  for (const [name, bytes] of texts) {
    size += bytes.length
    const text = Buffer.from(bytes, 'latin1').toString('utf8')
    const found = UNSAFE.exec(text)
    assert.ok(!found, `${name} has ${JSON.stringify(found?.[0])} at ${found?.index}`)
    if (name.endsWith('.json')) JSON.parse(text)
    else if (name.endsWith('.ndjson')) for (const line of text.split('\n')) JSON.parse(line)
    else if (name.endsWith('.html')) elements(text)
    else if (name.endsWith('.xml')) junitElements(text)
  }
  assert.ok(size < MAX_REPORT, `${size} bytes of report`)
  for (const name of ['report.html', 'verdicts.json', 'messages.ndjson', 'junit.xml', 'summary.md'])
    assert.ok(files.has(name), `no ${name}`)
}
