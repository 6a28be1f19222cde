import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../input-error.ts'
import { exitStatus } from '../verdicts/exit-status.ts'
import type { Evidence } from '../verdicts/recorded-verdict.ts'
import { VERDICTS } from '../verdicts/verdict.ts'
import type { Conversation } from '../wire/conversation.ts'
import type { RunRecord, VerdictsDocument } from './run-record.ts'

/** A report that was read back, with its evidence. */
export interface WrittenReport {
  dir: string
  record: RunRecord
  /** Cucumber's messages, NDJSON. */
  messages: string
}

/** Reads a report folder. Throws InputError when it is none, or has a format that this version does not know. */
export function readReport(dir: string): WrittenReport {
  const { schema: _, exit: __, causes: ___, ...document } = verdictsIn(dir)
  const verdicts = document.verdicts.map(
    ({ evidence, statement: _, expected: __, cause: ___, ...verdict }) => ({
      ...verdict,
      seen:
        evidence === undefined
          ? { conversations: [], notes: [], steps: [] }
          : evidenceIn(join(dir, evidence)),
    }),
  )
  const messages = join(dir, 'messages.ndjson')
  return {
    dir,
    record: { ...document, verdicts },
    messages: existsSync(messages) ? readFileSync(messages, 'utf8') : '',
  }
}

/** Keys that every verdict has. */
const TEXTS = ['requirement', 'level', 'actor', 'scenario', 'title', 'verdict', 'detail'] as const

/** As it may be written: with schema 1 it has no `partial`, `strict`, `command` and `exit`, and no `statement`. */
type Written = Omit<VerdictsDocument, 'schema'> & { schema: number }

/** verdicts.json of a report folder, or such a file itself, of schema 1 or 2. Throws InputError. */
export function verdictsIn(place: string): VerdictsDocument {
  const isFile = statSync(place, { throwIfNoEntry: false })?.isFile() === true
  const file = isFile ? place : join(place, 'verdicts.json')
  let document: Written
  try {
    document = JSON.parse(readFileSync(file, 'utf8')) as Written
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new InputError(
      code === 'ENOENT' ? `${place}: this is no report: it has no verdicts.json` : `${file}: ${message}`,
    )
  }
  if (
    (document?.schema !== 1 && document?.schema !== 2) ||
    !Array.isArray(document.verdicts) ||
    typeof document.gateway?.name !== 'string'
  )
    throw new InputError(`${file}: not a verdicts.json of a format that is known here (schema 1 or 2)`)
  for (const [at, verdict] of document.verdicts.entries()) {
    const lack = TEXTS.find(key => typeof Object(verdict)[key] !== 'string')
    if (lack) throw new InputError(`${file}: verdicts[${at}].${lack}: must be a text`)
    if (!VERDICTS.includes(verdict.verdict))
      throw new InputError(`${file}: ${JSON.stringify(verdict.verdict)} is no verdict`)
  }
  if (document.shard !== undefined && !isPart(document.shard))
    throw new InputError(`${file}: ${JSON.stringify(document.shard)} is no part of a run`)
  const partial = document.partial === true
  const strict = document.strict === true
  return {
    ...document,
    ...{ schema: 2, partial, strict, exit: exitStatus(document.verdicts, { partial, strict }) },
    command: document.command ?? '',
    causes: document.causes ?? [],
    verdicts: document.verdicts.map(verdict => ({ ...verdict, statement: verdict.statement ?? '' })),
  }
}

/** As `--shard` accepts them. A larger count makes no sense and would fill the memory. */
function isPart(shard: unknown): boolean {
  const { index, count } = Object(shard)
  return Number.isInteger(index) && Number.isInteger(count) && 1 <= index && index <= count && count < 10_000
}

function evidenceIn(folder: string): Evidence {
  try {
    const { steps, notes, cells } = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8')) as Evidence
    const files = readdirSync(folder).filter(name => /^conversation-\d+\.json$/.test(name))
    files.sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Conversation
    return { steps, notes, conversations: files.map(read), ...(cells ? { cells } : {}) }
  } catch (error) {
    throw new InputError(`${folder}: its evidence cannot be read: ${(error as Error).message}`)
  }
}
