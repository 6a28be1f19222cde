import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pki } from '../../pki/pki.ts'
import { exitStatus } from '../../verdicts/verdict.ts'
import { elements } from '../fixtures/html.ts'
import { junitElements } from '../fixtures/junit-xml.ts'
import { type CommandResult, type GatewayContext, judged, type Misbehaviour } from './bed.ts'
import * as inbound from './inbound.ts'
import { DELIVERY, SUBMISSION } from './outbound.ts'

/** How many commands run side by side. */
const LANES = 6
/** How much more memory a run may take than one against a good gateway: the record of a flood and its report need room. */
const MORE_MEMORY = 2.5
const MORE_MEMORY_AT_LEAST = 200 * 1024
/** In bytes. The report of a good run has half a megabyte. */
const MAX_REPORT = 32 * 1024 * 1024

const RECEIVER = ['EXO-OPP-07', 'RFC3207-10']
const INJECTED = ['RFC3207-07']
const SENDER = ['EXO-FRC-01', 'EXO-OPP-04']

interface TestedGateway {
  name: string
  misbehaviour: Misbehaviour
  requirements: readonly string[]
  /**
   * For each requirement the verdicts of its examples in order: C conformant, N non-conformant, I inconclusive. Where the
   * verdict depends on timing, ? is any of them and - is any of them except conformant.
   */
  expected: string
}

const receivers = (
  expected: string,
  group: Record<string, NonNullable<Misbehaviour['inbound']>>,
  ids = RECEIVER,
) =>
  Object.entries(group).map(
    ([name, does]): TestedGateway => ({ name, misbehaviour: { inbound: does }, requirements: ids, expected }),
  )

const TESTED: TestedGateway[] = [
  ...receivers('III III', inbound.SILENT),
  ...receivers('--- III', inbound.RESETS),
  ...receivers('NNN III', inbound.NO_SESSION),
  ...receivers('NCC CII', inbound.NO_TLS),
  ...receivers('ICC CII', inbound.TLS_SILENT),
  ...receivers('NCN CII', inbound.REFUSES_STARTTLS),
  ...receivers('NNN CCC', inbound.NO_MAIL),
  ...receivers('CNN CCC', inbound.WRONG_WITHOUT_TLS),
  ...receivers('ICC CCC', inbound.SLOW),
  ...receivers('??? CCC', inbound.DEPENDS_ON_TIMING),
  ...receivers('CCC CCC', inbound.ALLOWED),
  ...receivers('CIIIIII', { 'ends after one session': inbound.ENDS['ends after one session']! }, INJECTED),
  ...receivers(
    'CCCIIII',
    { 'ends after three sessions': inbound.ENDS['ends after three sessions']! },
    INJECTED,
  ),
  ...receivers(
    'CIIIIII',
    { 'crashes because of an injected command': inbound.ENDS['crashes because of an injected command']! },
    INJECTED,
  ),
  ...Object.entries(DELIVERY).map(
    ([name, [expected, delivery]]): TestedGateway => ({
      name,
      misbehaviour: { delivery },
      requirements: SENDER,
      expected,
    }),
  ),
  ...Object.entries(SUBMISSION).map(
    ([name, submission]): TestedGateway => ({
      name,
      misbehaviour: { submission },
      requirements: SENDER,
      expected: 'II II',
    }),
  ),
]

const LETTERS: Record<string, string> = { conformant: 'C', 'non-conformant': 'N', inconclusive: 'I' }
/** The suite stopped waiting. On a machine that is busy enough, this can happen in every example. */
const WAITED =
  /silent|said nothing|nor a word|control of this rule did not hold|does not greet any more|still open/

/** Control characters such as NUL, ESC and BEL, direction overrides, zero-width characters, and U+FFFD for invalid UTF-8. */
const UNSAFE = /[^\P{C}\n\t]|\ufffd/u

describe('the suite against a broken or hostile gateway', function () {
  this.timeout(20 * 60_000)
  let folder: string
  let baseline: number
  const results = new Map<TestedGateway, PromiseWithResolvers<CommandResult>>(
    TESTED.map(one => [one, Promise.withResolvers()]),
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
    const waiting = [...TESTED.entries()]
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [n, one] = next
        await judged(join(folder, `case-${n}`), one.misbehaviour, one.requirements, tls).then(
          results.get(one)!.resolve,
          results.get(one)!.reject,
        )
      }
    }
    for (let n = 0; n < LANES; n++) lane()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('has at least 30 such gateways', () => assert.ok(TESTED.length >= 30))

  for (const one of TESTED)
    it(`${one.name}: ${one.expected}`, async () => {
      const result = await results.get(one)!.promise
      assert.ok(!result.killed, 'the command did not end by itself')
      // The suite may find out that no server listens before it judges anything.
      if (one.name in inbound.RESETS && result.files.size === 0) {
        assert.match(result.err, /^mail-tls: no server accepts connections at [\x20-\x7e]*\n$/)
        assert.equal(result.status, 2)
        return
      }
      assert.equal(result.err, '')
      assertVerdicts(result, one)
      assert.ok(
        result.peak < Math.max(MORE_MEMORY * baseline, baseline + MORE_MEMORY_AT_LEAST),
        `the command took ${result.peak} KiB of memory, and ${baseline} KiB against a good gateway`,
      )
      assertHarmless(result)
    })
})

async function certificates(): Promise<GatewayContext['tls']> {
  const pki = new Pki()
  const issue = (names: string[]) => pki.issue({ names, usage: 'server' })
  const names = Array.from({ length: 3_000 }, (_, n) => `host-${n}.gateway.test`)
  inbound.provide('many', await issue(names))
  const odd = ['a\x1b[2J\0\x07b.test', '\u202eover.test, DNS:x', 'mx.gateway.test']
  // node-forge writes each character as one byte.
  inbound.provide('odd', await issue(odd.map(name => Buffer.from(name).toString('latin1'))))
  const { key, certificate } = await issue(['mx.gateway.test'])
  return { key, cert: certificate }
}

function assertVerdicts(
  { verdicts, status, out }: CommandResult,
  { expected, requirements }: TestedGateway,
): void {
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

/** The texts of the gateway do no harm in any output, and every file has the format that its name says. */
function assertHarmless({ out, err, files }: CommandResult): void {
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
