import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pki } from '../../pki/pki.ts'
import { exitStatus } from '../../verdicts/exit-status.ts'
import { elements } from '../fixtures/html.ts'
import { junitElements } from '../fixtures/junit-xml.ts'
import { REPORT_FILES } from '../fixtures/report-files.ts'
import {
  type CommandResult,
  type GatewayContext,
  type JudgedExample,
  judged,
  type Misbehaviour,
  type Order,
} from './bed.ts'
import * as inbound from './inbound.ts'
import { DELIVERY, SUBMISSION } from './outbound.ts'

/** How many commands run side by side: those that mostly wait, and those that mostly compute. */
const LANES = { waiting: 8, computing: 3 }
/** How long a command waits for one answer, in ms: where it waits in vain, and elsewhere. */
const PATIENCE = { waiting: 3_000, computing: 20_000 }
/** How much more memory a run may take than one against a good gateway: the record of a flood and its report need room. */
const MORE_MEMORY = 2.5
const MORE_MEMORY_AT_LEAST = 200 * 1024
/**
 * In bytes. The report of a good run has half a megabyte. Of each partner the lab keeps 512 KiB, which stand in five files and
 * as JSON with more around them; seven examples have a partner each.
 */
const MAX_REPORT = 64 * 1024 * 1024

const RECEIVER = ['EXO-OPP-07', 'RFC3207-10']
const INJECTED = ['RFC3207-07']
const SENDER = ['EXO-FRC-01', 'EXO-OPP-04']

interface TestedGateway {
  name: string
  misbehaviour: Misbehaviour
  requirements: readonly string[]
  /**
   * The right verdicts, by requirement, in the order of the examples in the features, as a regular expression: C
   * conformant, N non-conformant, W inconclusive because the suite stopped waiting, I inconclusive for another reason. S
   * alone: the suite ends before it judges anything, and says what is in the way.
   * `[NI]` where the verdict depends on timing.
   */
  expected: string
}

/** Gateways of a group: all with the same verdicts, except those that `others` names. */
const receivers = (
  expected: string,
  group: Record<string, NonNullable<Misbehaviour['inbound']>>,
  { others = {}, requirements = RECEIVER }: { others?: Record<string, string>; requirements?: string[] } = {},
) => {
  for (const name of Object.keys(others)) assert.ok(name in group, `no gateway is called ${name}`)
  return Object.entries(group).map(
    ([name, does]): TestedGateway => ({
      name,
      misbehaviour: { inbound: does },
      requirements,
      expected: others[name] ?? expected,
    }),
  )
}

const TESTED: TestedGateway[] = [
  ...receivers('S', inbound.SILENT),
  ...receivers('S', inbound.RESETS),
  ...receivers('NNN IIII', inbound.NO_SESSION, {
    others: {
      // Nothing is said of a gateway that does not even greet.
      'sends a greeting of lines that never ends': 'S',
      'sends a greeting whose line never ends': 'S',
      'greets with a line of 1 MiB': 'S',
      'sends control bytes instead of replies': 'S',
      'closes at once': 'S',
      'is a web server that does not wait': 'S',
      'is an SSH server': 'S',
      'refuses every connection': 'S',
      'says 250 to everything': 'INN IIII',
    },
  }),
  ...receivers('ICC CICI', inbound.NO_TLS),
  ...receivers('WCC CWCW', inbound.TLS_SILENT),
  ...receivers('ICI CIII', inbound.REFUSES_STARTTLS),
  ...receivers('INN CCCC', inbound.NO_MAIL),
  ...receivers('CNN CCCC', inbound.WRONG_WITHOUT_TLS),
  ...receivers('[CW]{3} [CW]{4}', inbound.SLOW),
  ...receivers('[CI][CN]{2} CCCC', inbound.DEPENDS_ON_TIMING),
  ...receivers('CCC CCCC', inbound.ALLOWED),
  ...receivers('CIIIIIIIII', inbound.ENDS, {
    others: { 'ends after three sessions': 'CCCIIIIIII' },
    requirements: INJECTED,
  }),
  ...Object.entries(DELIVERY).map(
    ([name, [expected, delivery]]): TestedGateway => ({
      name,
      misbehaviour: { delivery },
      requirements: SENDER,
      expected,
    }),
  ),
  ...Object.entries(SUBMISSION).map(
    ([name, [expected, submission]]): TestedGateway => ({
      name,
      misbehaviour: { submission },
      requirements: SENDER,
      expected,
    }),
  ),
]

/** Reasons of verdicts that say that the suite stopped waiting. */
const WAITED =
  /\bno answer: |gateway said nothing about it|neither the message nor a word|nothing more came within|still open/

/** As in `TestedGateway.expected`. A verdict that no gateway here may get stands for itself. */
const letterOf = ({ verdict, detail }: JudgedExample): string => {
  if (verdict === 'inconclusive') return WAITED.test(detail) ? 'W' : 'I'
  return verdict === 'conformant' ? 'C' : verdict === 'non-conformant' ? 'N' : ` ${verdict} `
}

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
    let folders = 0
    const judge = (one: Pick<Order, 'misbehaviour' | 'requirements'>, kind: keyof typeof PATIENCE) =>
      judged({ ...one, folder: join(folder, String(++folders)), tls, patience: PATIENCE[kind] })
    const good = await Promise.all([
      judge({ misbehaviour: {}, requirements: RECEIVER }, 'computing'),
      judge({ misbehaviour: {}, requirements: SENDER }, 'computing'),
    ])
    for (const { status, out, err } of good) assert.equal(status, 0, out + err)
    baseline = Math.max(...good.map(({ peak }) => peak))
    const { waiting = [], computing = [] } = Object.groupBy(TESTED, kindOf)
    const lane = async (queue: TestedGateway[]) => {
      for (let one = queue.shift(); one; one = queue.shift())
        await judge(one, kindOf(one)).then(results.get(one)!.resolve, results.get(one)!.reject)
    }
    const lanes = (queue: TestedGateway[], kind: keyof typeof LANES) =>
      Promise.all(Array.from({ length: LANES[kind] }, () => lane(queue)))
    // One after the other: floods keep this process so busy that it answers nobody for seconds.
    void lanes(waiting, 'waiting').then(() => lanes(computing, 'computing'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('has at least 30 such gateways', () => assert.ok(TESTED.length >= 30))

  for (const one of TESTED)
    it(`${one.name}: ${one.expected}`, async () => {
      const result = await results.get(one)!.promise
      assert.ok(!result.killed, 'the command did not end by itself')
      assert.ok(
        result.peak < Math.max(MORE_MEMORY * baseline, baseline + MORE_MEMORY_AT_LEAST),
        `the command took ${result.peak} KiB of memory, and ${baseline} KiB against a good gateway`,
      )
      assertHarmless(result)
      // A connection that is reset early enough looks like a port at which nobody listens, and then there is no report.
      const unreached =
        one.name in inbound.RESETS && /^mail-tls: no server accepts connections/.test(result.err)
      if (!unreached) for (const name of REPORT_FILES) assert.ok(result.files.has(name), `no ${name}`)
      if (one.expected === 'S') {
        assert.deepEqual([result.verdicts.length, result.status], [0, 2], result.err)
        assert.match(result.err, /^mail-tls: [\x20-\x7e]*\n$/)
        assert.ok(unreached || result.err.includes('; look at '), result.err)
        return
      }
      assert.equal(result.err, '')
      assert.notEqual(result.files.get('messages.ndjson'), '')
      assertVerdicts(result, one)
    })
})

/** Gateways that do nothing, so that the suite waits in vain before it judges anything. */
const DOING_NOTHING = [...Object.keys(inbound.SILENT), 'never delivers', 'hangs at DATA of a submission']

/** Which commands mostly wait: those that are right to stop waiting for an answer. */
const kindOf = ({ name, expected }: TestedGateway): keyof typeof PATIENCE =>
  expected.includes('W') || DOING_NOTHING.includes(name) ? 'waiting' : 'computing'

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
  const groups = requirements.map(id =>
    verdicts
      .filter(({ requirement, verdict }) => requirement === id && verdict !== 'inapplicable')
      .toSorted((a, b) => BY_PLACE.compare(a.scenario, b.scenario)),
  )
  const said = groups
    .map(list =>
      list
        .filter(({ title }) => !VARIATION.test(title))
        .map(letterOf)
        .join(''),
    )
    .join(' ')
  const details = groups.flat().map(one => `${letterOf(one)} ${one.title}: ${one.detail}`)
  assert.match(
    said,
    new RegExp(`^(${expected})$`),
    `${said} and not ${expected}\n${details.join('\n')}\n${out}`,
  )
  for (const [control, ...others] of groups)
    for (const one of others.filter(({ title }) => VARIATION.test(title)))
      assert.ok(
        control!.verdict === 'conformant' || one.verdict !== 'conformant',
        `${one.title} is conformant, and the control is not: ${one.detail}`,
      )
  assert.equal(status, exitStatus(verdicts, { strict: false }))
}

/**
 * Titles of examples that are not in `TestedGateway.expected`. What these gateways do does not depend on the partner's EHLO,
 * why they hold a message back is asked only of those that do, and a second attempt only of those that make one.
 */
const VARIATION = /knows (no )?EHLO|^the reason why|STARTTLS at (once|neither attempt)/
/** For places of examples: by file, then by line. */
const BY_PLACE = new Intl.Collator('en', { numeric: true })

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
    else if (name.endsWith('.ndjson')) for (const line of text.split('\n').filter(Boolean)) JSON.parse(line)
    else if (name.endsWith('.html')) elements(text)
    else if (name.endsWith('.xml')) junitElements(text)
  }
  assert.ok(size < MAX_REPORT, `${size} bytes of report`)
}
