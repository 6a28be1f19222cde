import { createLogUpdate } from 'log-update'
import pc from 'picocolors'
import { counted, duration } from '../quantities.ts'
import { visibleLine } from '../report/visible.ts'
import type { RunListener } from '../run/run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { BY_URGENCY, totals, type VerdictName, withoutReason } from '../verdicts/verdict.ts'
import { fitted, wrapped } from './columns.ts'
import { canRedraw, type Look, lookOf, MIN_COLUMNS, markOf, painted } from './terminal.ts'

/** Shows how far a run is. */
export interface Progress extends RunListener {
  /** The suite does something that takes time before the first example: 'starting haraka'. */
  doing(what: string): void
  /** How many examples will run. */
  planned(examples: number): void
  ended(): void
}

/** In ms. Nobody reads faster. */
const REDRAWN_EVERY = 100
const RUNNING_SHOWN = 4
const LONGEST_BAR = 40
/** In characters: no terminal shows more of a text on a line, and no log should. */
const LONGEST_TEXT = 500
const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

/**
 * On a terminal a block that is redrawn below what was found so far. Elsewhere plain lines: one for what was found, and
 * one for about every tenth of the examples.
 */
export function progressOn(
  out: NodeJS.WriteStream,
  { colour }: Pick<Look, 'colour'> = lookOf(out),
): Progress {
  return canRedraw(out) ? new LiveProgress(out, colour) : new PlainProgress(out)
}

/** Shows nothing. */
export const NO_PROGRESS: Progress = { doing() {}, planned() {}, began() {}, judged() {}, ended() {} }

class Tally {
  /** By example: if an example is judged again, the later verdict counts. */
  readonly #verdicts = new Map<string, RecordedVerdict | undefined>()
  planned = 0

  /** `held`: what was found counts only if it is found a second time. */
  add(verdict: RecordedVerdict, held = false): void {
    this.#verdicts.set(verdict.scenario, held ? undefined : verdict)
  }

  get counts() {
    return totals(this.#known)
  }

  get done(): number {
    return this.#verdicts.size
  }

  /** Verdicts that are neither conformant nor inapplicable. */
  get findings(): number {
    return this.#known.filter(({ verdict }) => needsAttention(verdict)).length
  }

  get #known(): RecordedVerdict[] {
    return [...this.#verdicts.values()].filter(one => one !== undefined)
  }

  get share(): number {
    return this.planned === 0 ? 0 : Math.min(this.done / this.planned, 1)
  }

  get progress(): string {
    return `${this.done} of ${this.planned}`
  }
}

class LiveProgress implements Progress {
  readonly #out: NodeJS.WriteStream
  readonly #paint: ReturnType<typeof pc.createColors>
  // It leaves the cursor alone: log-update would hide it on standard error, and set a hook on the end of the process.
  readonly #block: ReturnType<typeof createLogUpdate>
  readonly #tally = new Tally()
  /** Oldest first: a person wants to know what has run for long. */
  readonly #running = new Map<string, { id: string; title: string }>()
  #found: RecordedVerdict[] = []
  #doing = ''
  #height = 0
  #began = performance.now()
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(out: NodeJS.WriteStream, colour: boolean) {
    this.#out = out
    this.#paint = pc.createColors(colour)
    this.#block = createLogUpdate(out, { showCursor: true })
  }

  doing(what: string): void {
    this.#doing = shown(what)
    this.#start()
  }

  planned(examples: number): void {
    this.#doing = ''
    this.#tally.planned = examples
    this.#start()
  }

  began({ key, requirement, title }: { key: string; requirement: string; title: string }): void {
    this.#running.set(key, { id: shown(requirement), title: shown(title) })
  }

  noted(what: string): void {
    for (const line of wrapped(shown(what), this.#width(), 2).split('\n')) this.#block.persist(line)
  }

  judged(key: string, verdict: RecordedVerdict, held = false): void {
    this.#running.delete(key)
    this.#tally.add(verdict, held)
    if (!held && needsAttention(verdict.verdict)) this.#found.push(verdict)
  }

  ended(): void {
    if (this.#over) return
    this.#over = true
    if (!this.#timer) return
    clearInterval(this.#timer)
    this.#tellFound()
    const { done, planned, progress } = this.#tally
    const examples = done === planned ? counted(done, 'example') : `${progress} examples`
    if (planned > 0) this.#block.persist(this.#paint.dim(`Ran ${examples} in ${this.#elapsed()}`))
    else this.#block.clear()
    this.#out.write(SHOW_CURSOR)
  }

  #start(): void {
    if (this.#over) return
    if (!this.#timer) {
      this.#began = performance.now()
      this.#out.write(HIDE_CURSOR)
      this.#timer = setInterval(() => this.#draw(), REDRAWN_EVERY).unref()
    }
    this.#draw()
  }

  #draw(): void {
    this.#tellFound()
    const width = this.#width()
    const lines = this.#doing
      ? [`${fitted(this.#doing, width - 14)}  ${this.#paint.dim(this.#elapsed())}`]
      : [this.#bar(width), ...this.#countLines(width), ...this.#runningLines(width)]
    if (this.#tally.findings > 0) lines.unshift('')
    // log-update 7.2.0 leaves lines behind when a block of another height ends in the same lines.
    if (lines.length !== this.#height || this.#out.columns <= width) this.#block.clear()
    this.#height = lines.length
    this.#block(lines.join('\n'))
  }

  /** Each in a call of its own, because one call of `persist` writes no more lines than the terminal has. */
  #tellFound(): void {
    const paint = this.#paint
    for (const { verdict, requirement, title, detail } of this.#found) {
      const id = shown(requirement)
      const text = fitted(`${id}  ${shown(`${title}: ${withoutReason(detail)}`)}`, this.#width() - 2)
      const rest = text.startsWith(id) ? paint.bold(id) + text.slice(id.length) : text
      this.#block.persist(`${painted(verdict, markOf(verdict), paint)} ${rest}`)
    }
    this.#found = []
  }

  /** One column stays free: erasing to the end of a full line would erase its last character. */
  #width(): number {
    return Math.max(this.#out.columns, MIN_COLUMNS) - 1
  }

  #bar(width: number): string {
    const { share, progress, counts } = this.#tally
    const tail = `  ${progress}  ${this.#elapsed()}`
    const length = Math.max(Math.min(LONGEST_BAR, width - tail.length), 0)
    const full = Math.floor(share * length)
    const colour = counts['non-conformant'] > 0 ? this.#paint.red : this.#paint.green
    return `${colour('━'.repeat(full))}${this.#paint.dim('─'.repeat(length - full))}${tail}`
  }

  #countLines(width: number): string[] {
    const lines: string[] = []
    let used = width
    for (const verdict of BY_URGENCY) {
      const count = this.#tally.counts[verdict]
      if (count === 0) continue
      const text = `${count} ${verdict}`
      const item = painted(verdict, text, this.#paint)
      if (used + 2 + text.length > width) {
        lines.push(item)
        used = text.length
      } else {
        lines[lines.length - 1] += `  ${item}`
        used += 2 + text.length
      }
    }
    return lines
  }

  #runningLines(width: number): string[] {
    const all = [...this.#running.values()]
    const lines = all.slice(0, RUNNING_SHOWN).map(({ id, title }) => {
      const text = fitted(`  ${id}  ${title}`, width)
      const name = 2 + id.length
      return text.slice(0, name) + this.#paint.dim(text.slice(name))
    })
    const more = all.length - RUNNING_SHOWN
    return more > 0 ? [...lines, this.#paint.dim(`  and ${more} more`)] : lines
  }

  #elapsed(): string {
    const seconds = Math.floor((performance.now() - this.#began) / 1000)
    return seconds === 0 ? '0 s' : duration(seconds * 1000)
  }
}

class PlainProgress implements Progress {
  readonly #out: NodeJS.WritableStream
  readonly #tally = new Tally()
  #told = 0
  #over = false

  constructor(out: NodeJS.WritableStream) {
    this.#out = out
  }

  doing(what: string): void {
    this.#line(shown(what))
  }

  planned(examples: number): void {
    this.#tally.planned = examples
    this.#line(counted(examples, 'example'))
  }

  noted(what: string): void {
    this.#line(shown(what))
  }

  began(): void {}

  judged(_key: string, judged: RecordedVerdict, held = false): void {
    const { verdict, requirement, title, detail } = judged
    const tally = this.#tally
    const before = Math.floor(tally.share * 10)
    tally.add(judged, held)
    if (!held && needsAttention(verdict))
      this.#line(`${verdict} ${shown(requirement)}: ${shown(`${title}: ${withoutReason(detail)}`)}`)
    if (Math.floor(tally.share * 10) > before) this.#tellProgress()
  }

  ended(): void {
    if (this.#tally.done > this.#told) this.#tellProgress()
    this.#over = true
  }

  #tellProgress(): void {
    const { done, progress, findings } = this.#tally
    this.#told = done
    this.#line(`${progress} examples, ${counted(findings, 'finding')}`)
  }

  #line(text: string): void {
    if (!this.#over) this.#out.write(`${text}\n`)
  }
}

function needsAttention(verdict: VerdictName): boolean {
  return verdict !== 'conformant' && verdict !== 'inapplicable'
}

/** A text that another server may have chosen: bounded, and on one line. */
function shown(text: string): string {
  const line = visibleLine(text.slice(0, 2 * LONGEST_TEXT)).replace(/[\u2028\u2029]/g, ' ')
  return fitted(line, LONGEST_TEXT)
}
