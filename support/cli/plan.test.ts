import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import type { PlannedExample } from '../run/example.ts'
import { planText } from './plan.ts'

const catalogue = loadCatalogue()
const rules = loadFeatures(catalogue)
const look = { colour: false, columns: 80, profiles: [], time: 0, more: false }

/** Of one requirement, an example for each reason; nothing where it would be judged. */
function planned(requirement: string, ...reasons: (string | undefined)[]): PlannedExample[] {
  const rule = rules.find(rule => rule.requirement === requirement)!
  return reasons.map((inapplicable, n) => ({
    rule,
    title: `example ${n}`,
    control: n === 0,
    ...(inapplicable === undefined ? {} : { inapplicable }),
  }))
}
const entries = (text: string) =>
  text
    .split('\n\n')[0]!
    .split(/\n(?=\S)/)
    .map(entry => entry.replace(/\s+/g, ' '))

describe('a plan', () => {
  it('says of each requirement whether it would be judged, in the order of the catalogue', () => {
    const [first, second, third] = catalogue.requirements
      .map(({ id }) => id)
      .filter(id => rules.some(({ requirement }) => requirement === id)) as [string, string, string]
    const text = planText(
      [
        ...planned(third, 'no connector', 'no connector', 'no log'),
        ...planned(second, undefined, 'no mailbox'),
        ...planned(first, undefined),
      ],
      catalogue,
      look,
    )
    assert.deepEqual(entries(text), [
      `yes ${first} ${catalogue.get(first).statement.replace(/\s+/g, ' ')}`,
      `part ${second} 1 of 2 examples; no mailbox`,
      `no ${third} no connector; no log`,
    ])
    assert.match(
      text.replace(/\n(?=\S+ \S)/g, ' '),
      /The suite would judge 2 of 3 requirements in about 10 seconds\. It has connected to nothing\.\n$/,
    )
  })

  it('counts for each profile what is judged, in part and not', () => {
    const [one, other] = ['EXO-FRC-01', 'RFC3207-02']
    const text = planText(
      [...planned(one!, undefined, 'no connector'), ...planned(other!, 'no gateway')],
      catalogue,
      { ...look, profiles: ['exchange-online-2021', 'starttls-base'], time: 200_000, more: true },
    )
    const [, table = ''] = text.split('\n\n')
    const inProfile = (id: string, profile: string) =>
      Number(catalogue.inProfile(profile).some(requirement => requirement.id === id))
    assert.deepEqual(
      table.split('\n').map(line => line.split(/ {2,}/)),
      [
        ['of the profile', 'yes', 'part', 'no'],
        ...['exchange-online-2021', 'starttls-base'].map(profile => [
          profile,
          '0',
          `${inProfile(one!, profile)}`,
          `${inProfile(other!, profile)}`,
        ]),
      ],
    )
    assert.match(text.replace(/\s+/g, ' '), /in about 3 minutes, and the circumstances after that\./)
  })

  it('fits its columns', () => {
    const plan = rules.flatMap(({ requirement }) =>
      planned(requirement, undefined, 'for want of something '.repeat(9)),
    )
    for (const columns of [60, 80, 132])
      for (const line of planText(plan, catalogue, {
        ...look,
        columns,
        profiles: catalogue.requirements[0]!.profiles,
      }).split('\n'))
        assert.ok(line.length <= columns, line)
  })

  it('is the same without its colours', () => {
    const plan = planned(rules[0]!.requirement, undefined, 'no connector')
    const coloured = planText(plan, catalogue, { ...look, colour: true })
    assert.notEqual(coloured, planText(plan, catalogue, look))
    assert.equal(stripVTControlCharacters(coloured), planText(plan, catalogue, look))
  })

  it('of nothing judges nothing', () => {
    assert.match(planText([], catalogue, look), /^\n\nThe suite would judge 0 of 0 requirements/)
  })
})
