import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { PassThrough, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { HOSTILE, hostileRun, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { type Progress, progressOn } from './progress.ts'

const WIDE_TITLE = '漢字かな한국어 🚀 e\u0301 '.repeat(20)

/** As much of a terminal as a redrawn block needs. Nothing wraps, so a line that is too long stays one. */
class Screen extends Writable {
  readonly isTTY = true
  readonly rows = 24
  readonly columns: number
  readonly lines = ['']
  written = ''
  writes = 0
  readonly #changed = new EventEmitter()
  #row = 0
  #column = 0

  constructor(columns = 80) {
    super({ decodeStrings: false })
    this.columns = columns
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.written += chunk
    this.writes++
    for (const [piece, number, command] of chunk.matchAll(/\x1b\[\??([\d;]*)([A-Za-z])|\n|[^\x1b\n]+|\x1b/g))
      this.#apply(piece, Number(number || 1), number, command)
    this.#changed.emit('change')
    done()
  }

  #apply(piece: string, count: number, parameter: string | undefined, command: string | undefined): void {
    if (command === 'A') this.#row = Math.max(this.#row - count, 0)
    else if (command === 'B') this.#row += count
    else if (command === 'G') this.#column = count - 1
    else if (command === 'K')
      this.#set(parameter === '2' ? '' : this.lines[this.#row]!.slice(0, this.#column), '')
    else if (command === 'm' || command === 'h' || command === 'l') return
    else if (command) assert.fail(`no terminal command expected: ${JSON.stringify(piece)}`)
    else if (piece === '\n') {
      this.#row++
      this.#column = 0
    } else {
      const line = this.lines[this.#row] ?? ''
      this.#set(line.slice(0, this.#column).padEnd(this.#column), piece)
      this.lines[this.#row] += line.slice(this.#column)
    }
    while (this.lines.length <= this.#row) this.lines.push('')
  }

  #set(kept: string, added: string): void {
    this.lines[this.#row] = kept + added
    if (added) this.#column = kept.length + added.length
  }

  get text(): string {
    return this.lines.join('\n').trimEnd()
  }

  async shows(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this.#changed, 'change')
  }
}

const live = (screen: Screen, colour = false): Progress =>
  progressOn(screen as unknown as NodeJS.WriteStream, { colour })

const [broken] = sampleRun().verdicts.filter(({ verdict }) => verdict === 'non-conformant')
let examples = 0
/** Of an example of its own. */
const verdictOf = (verdict: VerdictName, more: Partial<RecordedVerdict> = {}): RecordedVerdict => ({
  ...broken!,
  verdict,
  scenario: `features/some.feature:${++examples}`,
  ...more,
})

/** Columns by another count than ours: that of Node's line editor. */
function columnsOf(text: string): number {
  const input = new PassThrough()
  const output = Object.assign(new PassThrough(), { columns: Number.POSITIVE_INFINITY })
  const editor = createInterface({ input, output, terminal: true, prompt: stripVTControlCharacters(text) })
  const { cols } = editor.getCursorPos()
  editor.close()
  return cols
}

describe('live progress', () => {
  it('says what it waits for, then what runs and what was found', async () => {
    const screen = new Screen()
    const progress = live(screen)
    progress.doing('starting haraka')
    assert.match(screen.text, /^starting haraka {2}\d+ s$/)
    progress.planned(4)
    assert.match(screen.text, /^─{40} {2}0 of 4 {2}\d+ s$/)
    progress.began({ key: 'a', requirement: 'EXO-FRC-04', title: 'first' })
    progress.began({ key: 'b', requirement: 'EXO-FRC-05', title: 'second' })
    progress.judged('a', verdictOf('conformant'))
    progress.judged('x', verdictOf('non-conformant', { title: 'no TLS', detail: 'in clear' }))
    await screen.shows('EXO-FRC-05')
    assert.deepEqual(screen.text.replace(/\d+ s$/m, 'N s').split('\n'), [
      '✗ EXO-FRC-01  no TLS: in clear',
      '',
      `${'━'.repeat(20)}${'─'.repeat(20)}  2 of 4  N s`,
      '1 non-conformant  1 conformant',
      '  EXO-FRC-05  second',
    ])
    progress.ended()
    assert.match(screen.text, /^✗ EXO-FRC-01 {2}no TLS: in clear\nRan 2 of 4 examples in \d+ s$/)
  })

  it('leaves nothing of an earlier block behind', async () => {
    const screen = new Screen()
    const progress = live(screen)
    progress.planned(9)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f'])
      progress.began({ key, requirement: 'EXO-FRC-04', title: `example ${key}` })
    await screen.shows('and 2 more')
    progress.judged('b', verdictOf('stale', { title: 'found', detail: 'it' }))
    await screen.shows('and 1 more')
    const running = () => screen.text.match(/example .|and . more/g)
    assert.deepEqual(running(), ['example a', 'example c', 'example d', 'example e', 'and 1 more'])
    for (const key of ['a', 'c', 'e']) progress.judged(key, verdictOf('inapplicable'))
    await screen.shows('3 inapplicable')
    assert.deepEqual(running(), ['example d', 'example f'])
    progress.began({ key: 'g', requirement: 'EXO-FRC-04', title: 'example g' })
    await screen.shows('example g')
    progress.judged('f', verdictOf('inapplicable'))
    await screen.shows('4 inapplicable')
    assert.deepEqual(screen.text.replace(/\d+ s$/m, 'N s').split('\n'), [
      '✗ EXO-FRC-01  found: it',
      '',
      `${'━'.repeat(22)}${'─'.repeat(18)}  5 of 9  N s`,
      '1 stale  4 inapplicable',
      '  EXO-FRC-04  example d',
      '  EXO-FRC-04  example g',
    ])
    progress.ended()
    assert.match(screen.text, /^✗ EXO-FRC-01 {2}found: it\nRan 5 of 9 examples in \d+ s$/)
  })

  for (const columns of [40, 80, 132])
    it(`keeps within ${columns} columns whatever the titles`, async () => {
      const screen = new Screen(columns)
      const progress = live(screen, true)
      const { verdicts } = hostileRun()
      progress.doing(`starting ${WIDE_TITLE}`)
      const starting = screen.text
      progress.planned(1000)
      for (const title of [WIDE_TITLE, ...HOSTILE.slice(5), ...HOSTILE])
        progress.began({ key: title, requirement: 'EXO-FRC-04', title: `${title}${WIDE_TITLE}` })
      for (const [n, verdict] of verdicts.entries()) progress.judged(`${n}`, verdict)
      progress.judged('wide', verdictOf('stale', { title: WIDE_TITLE }))
      progress.judged('id', verdictOf('stale', { requirement: 'X'.repeat(300) }))
      await screen.shows('more')
      progress.ended()
      const lines = [...starting.split('\n'), ...stripVTControlCharacters(screen.written).split('\n')]
      const widths = lines.map(columnsOf)
      assert.ok(Math.max(...widths) < columns, `${Math.max(...widths)}`)
      assert.ok(Math.max(...widths) > columns - 4, 'and uses them')
    })

  it('lets no control character of others through', async () => {
    const screen = new Screen()
    const progress = live(screen)
    progress.planned(2)
    const text = `a\x1b[2J\x07\r\n\u2028${HOSTILE[5]}`
    progress.began({ key: 'a', requirement: text, title: text })
    progress.judged('b', verdictOf('stale', { requirement: text, title: text, detail: text }))
    await screen.shows('\\x1b')
    progress.ended()
    assert.doesNotMatch(screen.written, /\x1b\[2J|[\x00\x07\r\u2028\u202e]/)
    assert.match(screen.text, /^✗ a\\x1b\[2J\\x07\\x0d\\n /)
  })

  it('is bounded however many examples run, and draws none of them at once', async () => {
    const screen = new Screen()
    const progress = live(screen)
    progress.planned(600)
    const { writes } = screen
    for (let n = 0; n < 500; n++) progress.began({ key: `${n}`, requirement: 'EXO-FRC-04', title: `t${n}` })
    for (let n = 0; n < 100; n++) progress.judged(`${n}`, verdictOf('conformant'))
    assert.equal(screen.writes, writes)
    await screen.shows('and 396 more')
    assert.ok(screen.text.split('\n').length <= 8)
    progress.ended()
  })

  it('gives the cursor back when it has ended, once, and says nothing after that', () => {
    const screen = new Screen()
    const progress = live(screen)
    progress.planned(2)
    assert.ok(screen.written.startsWith('\x1b[?25l'))
    assert.ok(!screen.written.includes('\x1b[?25h'))
    progress.ended()
    assert.ok(screen.written.endsWith('\x1b[?25h'))
    const { writes } = screen
    progress.judged('late', verdictOf('stale'))
    progress.doing('late')
    progress.planned(3)
    progress.ended()
    assert.equal(screen.writes, writes)
  })

  it('writes nothing when nothing was begun, and leaves nothing when nothing was planned', () => {
    const screen = new Screen()
    live(screen).ended()
    assert.equal(screen.written, '')
    const progress = live(screen)
    progress.doing('starting haraka')
    progress.ended()
    assert.equal(screen.text, '')
  })

  it('has colours where they are wanted', () => {
    const written = (colour: boolean) => {
      const screen = new Screen()
      const progress = live(screen, colour)
      progress.planned(1)
      progress.judged('a', verdictOf('non-conformant'))
      progress.ended()
      return screen.written
    }
    assert.match(written(true), /\x1b\[31m✗\x1b\[39m \x1b\[1mEXO-FRC-01/)
    assert.doesNotMatch(written(false), /\x1b\[\d+m/)
  })

  it('is plain on a terminal without a size, and on one that cannot redraw', () => {
    const term = process.env['TERM']
    for (const [columns, terminal] of [
      [0, 'xterm'],
      [80, 'dumb'],
    ] as const) {
      process.env['TERM'] = terminal
      try {
        const screen = new Screen(columns)
        live(screen).doing('starting haraka')
        assert.equal(screen.written, 'starting haraka\n')
      } finally {
        process.env['TERM'] = term
      }
    }
  })
})

describe('plain progress', () => {
  function told(act: (progress: Progress) => void): string[] {
    const out = new PassThrough({ encoding: 'utf8' })
    act(progressOn(out as unknown as NodeJS.WriteStream))
    return (out.read() as string).split('\n')
  }

  it('has a line for what was found and one for every tenth', () => {
    const lines = told(progress => {
      progress.doing('starting haraka')
      progress.planned(40)
      for (let n = 0; n < 40; n++) {
        progress.began({ key: `${n}`, requirement: 'EXO-FRC-01', title: 't' })
        progress.judged(`${n}`, verdictOf(n === 9 ? 'declined' : n === 10 ? 'stale' : 'conformant'))
      }
      progress.ended()
    })
    const found =
      'EXO-FRC-01: a partner without TLS gets nothing: the message arrived unencrypted: MAIL, RCPT'
    assert.deepEqual(
      lines.map(line => line.replace(/ and 412 bytes.*/, '')),
      [
        ...['starting haraka', '40 examples', '4 of 40 examples, 0 findings', '8 of 40 examples, 0 findings'],
        ...[`declined ${found}`, `stale ${found}`, '12 of 40 examples, 2 findings'],
        ...[16, 20, 24, 28, 32, 36, 40].map(n => `${n} of 40 examples, 2 findings`),
        '',
      ],
    )
  })

  it('has no line for what may be taken back, until it is found again', () => {
    const found = verdictOf('non-conformant', { title: 'no TLS', detail: 'in clear' })
    const lines = told(progress => {
      progress.planned(2)
      progress.judged('a', found, true)
      progress.judged('b', verdictOf('conformant'))
      progress.judged('a', found)
    })
    assert.deepEqual(lines, [
      ...['2 examples', '1 of 2 examples, 0 findings', '2 of 2 examples, 0 findings'],
      ...['non-conformant EXO-FRC-01: no TLS: in clear', ''],
    ])
  })

  it('says how far it came when it ends early, and nothing after that', () => {
    const lines = told(progress => {
      progress.planned(100)
      progress.judged('a', verdictOf('lab-error', { title: 't', detail: 'd' }))
      progress.ended()
      progress.judged('b', verdictOf('stale'))
      progress.ended()
    })
    assert.deepEqual(lines, [
      '100 examples',
      'lab-error EXO-FRC-01: t: d',
      '1 of 100 examples, 1 finding',
      '',
    ])
  })

  it('has no control characters and no endless lines', () => {
    const lines = told(progress => {
      progress.doing(HOSTILE.join())
      for (const [n, verdict] of hostileRun().verdicts.entries()) progress.judged(`${n}`, verdict)
    })
    assert.ok(lines.length > 10)
    for (const line of lines) {
      assert.match(line, /^\P{C}*$/u)
      assert.ok(line.length < 600)
    }
  })

  it('leaves out why a deviation is recorded', () => {
    const lines = told(progress =>
      progress.judged('a', verdictOf('deviates', { detail: 'seen (recorded: why)' })),
    )
    assert.equal(lines[0], 'deviates EXO-FRC-01: a partner without TLS gets nothing: seen')
  })
})
