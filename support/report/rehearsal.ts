import { duration } from '../quantities.ts'
import { PHASES, type Rehearsal, type RehearsedMail } from '../run/rehearsal.ts'
import { markup } from './templates.ts'

/** The page of a rehearsal: a timeline with a column for each phase and a row for each connector. */
export function rehearsalPage(
  gateway: string,
  { mails, notSent, ownCertificate, milliseconds }: Rehearsal,
): string {
  const connectors = [...new Map(mails.map(({ connector, level }) => [connector, level]))]
  const rows = connectors.map(([connector, level]) => ({
    connector,
    level,
    cells: PHASES.map(({ name }) =>
      cell(mails.filter(one => one.phase === name && one.connector === connector)),
    ),
  }))
  return markup.render('./rehearsal', {
    gateway,
    phases: PHASES,
    rows,
    notSent,
    ownCertificate,
    duration: duration(milliseconds),
  })
}

function cell(mails: readonly RehearsedMail[]) {
  const wrong = mails.find(({ asPlanned }) => asPlanned === false)
  const unknown = mails.find(({ asPlanned }) => asPlanned === undefined)
  const told = wrong ?? unknown ?? mails[0]
  return {
    kind: wrong ? 'wrong' : unknown || !told ? 'unknown' : told.fate === 'waits' ? 'waits' : 'right',
    fate: told?.fate ?? 'not sent',
    detail: told?.detail ?? '',
  }
}
