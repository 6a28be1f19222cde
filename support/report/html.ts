import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Area, Requirement } from '../catalogue/catalogue.ts'
import { counted, duration, minute } from '../quantities.ts'
import { expectedOf } from '../verdicts/expected-outcome.ts'
import { BY_URGENCY, type Deviation, totals, type VerdictName, withoutReason } from '../verdicts/verdict.ts'
import { acceptedView } from './accepted-tls.ts'
import { cellsView, triedIn, valuesView } from './circumstances.ts'
import { CHANGE_KINDS, DIFFERENCE_TITLES, type Difference, differenceTold } from './diff.ts'
import { drawing } from './drawing.ts'
import type { CauseFinding, Example, Finding, Findings } from './findings.ts'
import { type ToDo, toDoAbout, toDoFor } from './remedy.ts'
import type { Since } from './run-record.ts'
import { sinceTold } from './since.ts'
import { markup } from './templates.ts'
import { clipped } from './visible.ts'
import { AREA_TITLES, MEANINGS } from './words.ts'

/** The report shows this many lines of a gateway's log, the last ones; the evidence has all lines. */
const NOTES = 40

const asset = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')

/**
 * The report for people: one HTML document that needs no other file. Everything in it can be read without scripts; its
 * only script filters requirements, and opens the element that the address names. No text from another server becomes
 * markup.
 */
export function html(findings: Findings): string {
  const { record, headline, exit, counts, areas, causes, cautions, unexplained, unseen, interrupted } =
    findings
  const { gateway, suite } = record
  const style = asset('report.css')
  const script = asset('report.js')
  const examples = totals(record.verdicts)
  return markup.render('./report', {
    ...{ style, script, areas: areas.map(area => areaOf(area, gateway.name)), unseen: unseen.map(unseenOf) },
    scriptHash: createHash('sha256').update(script).digest('base64'),
    name: [gateway.name, gateway.version].filter(Boolean).join(' '),
    headline: headline.split('; '),
    stamp: stampOf(findings),
    exit,
    cautious: cautions.length > 0,
    causes: causes.map(cause => causeView(cause, gateway.name)),
    facts: [
      { name: 'Gateway', text: [gateway.name, gateway.version].filter(Boolean).join(' ') },
      { name: 'TLS library', text: gateway.library || 'not known' },
      { name: 'Runs', text: KINDS[gateway.kind] },
      {
        name: record.profiles.length === 1 ? 'Profile' : 'Profiles',
        text: record.profiles.join(', ') || 'none',
      },
      { name: 'Judged', text: `${minute(record.startedAt)}, in ${duration(record.durationMs)}` },
      { name: 'Suite', text: `${suite.name} ${suite.version} (${suite.commit.slice(0, 12)})` },
    ],
    command: record.command,
    calm:
      counts.conformant > 0
        ? 'Nothing. The gateway keeps every requirement that applies and was judged.'
        : 'Nothing was judged, so nothing can be said about the gateway.',
    interrupted,
    again: findings.again && clipped(findings.again, 2_000),
    since: record.since && sinceView(record.since, areas),
    circumstances: record.circumstances && {
      examples: record.circumstances.examples,
      told: triedIn(record),
      roles: valuesView(record),
    },
    accepted: record.accepted && acceptedView(record.accepted),
    verdicts: BY_URGENCY.map(verdict => ({
      verdict,
      requirements: counts[verdict],
      examples: examples[verdict],
      meaning: MEANINGS[verdict],
    })),
    requirements: counted(
      areas.reduce((sum, area) => sum + area.findings.length, 0),
      'requirement',
    ),
    examples: counted(record.verdicts.length, 'example'),
    attention: BY_URGENCY.map(verdict => ({
      verdict,
      meaning: MEANINGS[verdict],
      findings: unexplained
        .filter(finding => finding.verdict === verdict)
        .map(finding => brief(finding, record.gateway.name)),
    })).filter(group => group.findings.length > 0),
  })
}

function stampOf({ exit, record, interrupted, cautions }: Findings): { word: string; reason: string } {
  if (interrupted !== undefined) return { word: 'Partial', reason: `${interrupted}.` }
  if (cautions.length > 0)
    return {
      word: 'Passed, with a warning',
      reason: `The gateway breaks no must, except what is recorded. But ${cautions.map(one => clipped(one, 300)).join('. And ')}.`,
    }
  if (exit === 0) return { word: 'Passed', reason: 'The gateway breaks no must, except what is recorded.' }
  if (exit === 1)
    return {
      word: 'Not passed',
      reason: 'The gateway breaks something that is not recorded, or a recorded deviation no longer shows.',
    }
  if (record.setUp !== undefined)
    return {
      word: 'No result',
      reason: 'The set-up of the gateway, or of its file, is in the way of all mail.',
    }
  const errors = totals(record.verdicts)['lab-error']
  const reason =
    errors > 0
      ? `The lab failed in ${counted(errors, 'example')}, and this may have caused the other findings, too.`
      : record.verdicts.length > 0
        ? 'No example that ran could be decided.'
        : 'No example ran.'
  return { word: 'No result', reason }
}

const KINDS = {
  container: 'in a container of the suite',
  embedded: 'on loopback, started by the suite',
  external: 'outside the suite, described by a gateway file',
} as const

const LEVELS = { must: 'must', should: 'should', may: 'may', observed: 'observed fact' } as const

const ACTORS = {
  sender: 'the gateway as sender',
  receiver: 'the gateway as receiver',
  both: 'the gateway in both roles',
} as const

function areaOf({ area, findings }: { area: Area | 'other'; findings: Finding[] }, gateway: string) {
  return {
    id: `area-${area}`,
    title: area === 'other' ? 'Not in the catalogue' : AREA_TITLES[area],
    counts: BY_URGENCY.map(verdict => ({
      verdict,
      count: findings.filter(finding => finding.verdict === verdict).length,
    })).filter(({ count }) => count > 0),
    findings: findings.map(finding => findingView(finding, gateway)),
  }
}

function causeView({ sentence, word, looks, examples }: CauseFinding, gateway: string) {
  return {
    ...{ word, looks },
    told: clipped(sentence, 800),
    examples: examples.map(({ place, judged }) => ({
      place,
      id: judged.requirement,
      verdict: judged.verdict,
      title: `${judged.control ? 'the control: ' : ''}${clipped(judged.title, 200)}`,
      expected: clipped(expectedOf(judged) ?? '', 400),
      detail: clipped(judged.detail, 400),
      remedy: remedyView(toDoAbout(judged, gateway)),
    })),
  }
}

function brief({ id, requirement, deciding, examples, verdict }: Finding, gateway: string) {
  const alike = examples.filter(example => example.judged.verdict === verdict).length
  return {
    id,
    place: deciding.place,
    // Where a control fails, the requirement is not what is broken: its statement may say the opposite.
    statement: deciding.judged.control ? '' : (requirement?.statement ?? ''),
    control: deciding.judged.control,
    expected: clipped(expectedOf(deciding.judged) ?? '', 400),
    title: clipped(deciding.judged.title, 200),
    detail: clipped(deciding.judged.detail, 400),
    more: alike - 1,
    remedy: remedyView(toDoAbout(deciding.judged, gateway)),
  }
}

/** Of another product than the one that was judged, a person opens the settings first. */
function remedyView(toDo: ToDo | undefined) {
  if (!toDo) return undefined
  const { sentence, settings, own } = toDo
  return { sentence, settings: own ? settings : [], others: own ? [] : settings }
}

function findingView(finding: Finding, gateway: string) {
  const { id, level, actor, requirement, verdict, examples, deciding } = finding
  const urgent = isUrgent(finding)
  return {
    ...{ id, verdict, open: urgent },
    statement: requirement?.statement ?? clipped(deciding.judged.title, 300),
    level: LEVELS[level],
    actor: ACTORS[actor],
    sources: requirement?.source ?? [],
    basis: requirement?.source_basis ?? '',
    profiles: requirement?.profiles.join(', ') ?? '',
    remedy: remedyView(toDoFor(id, gateway)),
    negativeControl: requirement?.negative_control ?? '',
    examples: examples.map(example => exampleView(example, urgent && example === deciding)),
  }
}

/** Findings that fail the run are open from the start. */
function isUrgent({ verdict }: Finding): boolean {
  return verdict === 'non-conformant' || verdict === 'stale' || verdict === 'lab-error'
}

function exampleView({ judged, place, folder }: Example, open: boolean) {
  const { title, scenario, control, verdict, detail, deviation, again, durationMs, seen } = judged
  const { conversations, notes, steps } = seen
  return {
    ...{ place, folder, open, scenario, control, verdict },
    title: clipped(title, 300),
    detail: clipped(detail, 1000),
    took: duration(durationMs),
    cells: cellsView(judged),
    again,
    recorded: deviation && recordedView(deviation),
    steps: steps.map(step => {
      const [keyword = '', ...rest] = clipped(step, 600).split(' ')
      return { keyword, text: rest.join(' ') }
    }),
    notes: notes.slice(-NOTES).map(note => clipped(note, 300)),
    notesBefore: Math.max(notes.length - NOTES, 0),
    conversations: conversations.map((conversation, index) => ({
      ...drawing(conversation),
      number: index + 1,
      of: conversations.length,
      transcript: `${folder}/transcript-${index + 1}.txt`,
      json: `${folder}/conversation-${index + 1}.json`,
    })),
  }
}

/** The report names so many changes of each kind; verdicts.json has all. */
const CHANGES = 100

/** What a kind of change looks like. */
const CHANGE_LOOKS: Record<keyof Difference, VerdictName> = {
  worse: 'non-conformant',
  otherwise: 'deviates',
  lost: 'inconclusive',
  better: 'conformant',
  gained: 'inapplicable',
}

function sinceView(since: Since, areas: Findings['areas']) {
  const judged = new Set(areas.flatMap(({ findings }) => findings).map(({ id }) => id))
  return {
    told: `${clipped(sinceTold(since), 400)}: ${differenceTold(since.changes)}.`,
    groups: CHANGE_KINDS.filter(kind => since.changes[kind].length > 0).map(kind => ({
      kind,
      title: DIFFERENCE_TITLES[kind],
      looks: CHANGE_LOOKS[kind],
      count: since.changes[kind].length,
      more: Math.max(since.changes[kind].length - CHANGES, 0),
      open: kind !== 'gained' && since.changes[kind].length < 20,
      changes: since.changes[kind].slice(0, CHANGES).map(({ requirement, title, before, after }) => ({
        id: requirement,
        linked: judged.has(requirement),
        title: clipped(title, 200),
        before: before?.verdict,
        after: after?.verdict,
        detail: clipped(withoutReason((after ?? before!).detail), 400),
      })),
    })),
  }
}

/** What the detail of a verdict does not say of its recorded deviation. */
function recordedView({ since, versions, reference = '' }: Deviation) {
  return {
    told: clipped(`Recorded since ${since}${versions ? `, for versions ${versions}` : ''}.`, 300),
    link: /^https?:.{1,300}$/.test(reference) ? reference : undefined,
  }
}

function unseenOf({ id, level, statement }: Requirement) {
  return { id, level: LEVELS[level], statement }
}
