import type { Requirement } from '../catalogue/catalogue.ts'
import type { Finding, Findings } from './findings.ts'
import { toDoFor } from './remedy.ts'
import { clipped, visibleLine } from './visible.ts'

/** How urgent a finding is, in the words of SARIF. */
export type SarifLevel = 'error' | 'warning' | 'note'

/** `error` is what fails the run, `note` what is recorded as a deviation. */
export function levelOf({ verdict }: Finding, { strict }: { strict: boolean }): SarifLevel {
  if (verdict === 'non-conformant' || verdict === 'stale') return 'error'
  if (verdict === 'deviates') return 'note'
  return strict && (verdict === 'declined' || verdict === 'inconclusive') ? 'error' : 'warning'
}

/** In characters. */
const LONGEST = 1_000
const text = (value: string) => ({ text: visibleLine(clipped(value, LONGEST)) })

/**
 * What needs attention, as SARIF 2.1.0 (OASIS), for pages that show results of code scanning: one result for each example,
 * at its place in the features, with the symptom as fingerprint.
 */
export function sarif({ record, attention }: Findings): object {
  const { suite } = record
  const rules = new Map(attention.map(finding => [finding.id, finding]))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: suite.name,
            version: suite.version,
            rules: [...rules.values()].map(({ id, requirement }) => ({
              id,
              shortDescription: text(requirement?.statement ?? id),
              ...(requirement ? { help: helpOf(requirement, record.gateway.name) } : {}),
            })),
          },
        },
        automationDetails: { id: `${suite.name}/${record.gateway.name}/` },
        results: attention.flatMap(finding =>
          finding.examples
            .filter(({ judged }) => judged.verdict === finding.verdict)
            .map(({ judged: { title, detail, scenario, symptom } }) => ({
              ruleId: finding.id,
              level: levelOf(finding, record),
              message: text(`${record.gateway.name}: ${[title, detail].filter(Boolean).join(': ')}`),
              locations: [{ physicalLocation: placeOf(scenario) }],
              partialFingerprints: { 'example/v1': `${title}: ${symptom ?? detail}` },
            })),
        ),
      },
    ],
  }
}

/** What to do, and where the requirement comes from. */
function helpOf({ id, source }: Requirement, gateway: string) {
  const toDo = toDoFor(id, gateway)
  const settings = toDo?.settings ?? []
  const plain = [
    ...(toDo ? [toDo.sentence] : []),
    ...settings.map(({ product, set }) => `${product}: ${set.join(' and ')}.`),
    `Sources: ${source.join('; ')}`,
  ]
  const rows = settings.map(
    ({ product, set, also, link }) =>
      `- [${product}](${link}): ${set.map(line => `\`\`${line}\`\``).join(', ')}${also ? `. ${also}` : ''}`,
  )
  return {
    ...text(plain.join(' ')),
    markdown: [...(toDo ? [toDo.sentence, ...rows] : []), `Sources: ${source.join('; ')}`].join('\n\n'),
  }
}

/** `features/….feature:LINE` */
function placeOf(scenario: string) {
  const [, uri = scenario, line] = /^(.*?)(?::(\d{1,9}))?$/.exec(scenario)!
  return {
    artifactLocation: { uri: encodeURI(uri) },
    ...(Number(line) > 0 ? { region: { startLine: Number(line) } } : {}),
  }
}
