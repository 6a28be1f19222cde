import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { MUTANTS, OMISSIONS } from './mutants/index.ts'
import { SAMPLE } from './selftest.ts'

describe('the mutants', () => {
  const catalogue = loadCatalogue()
  const withRule = new Set(loadFeatures(catalogue).map(({ requirement }) => requirement))

  it('are at least one for each requirement that has a Rule', () => {
    const planted = new Set(MUTANTS.map(({ requirement }) => requirement))
    assert.deepEqual(
      [...withRule].filter(id => !planted.has(id)),
      [],
    )
  })

  it('break requirements that have a Rule', () => {
    const named = [
      ...MUTANTS.flatMap(({ requirement, explains = [] }) => [requirement, ...explains]),
      ...OMISSIONS.flatMap(({ requirements }) => requirements),
    ]
    assert.deepEqual(
      named.filter(id => !withRule.has(id)),
      [],
    )
  })

  it('have names of their own', () => {
    const names = [...MUTANTS, ...OMISSIONS].map(({ name }) => name)
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    )
  })

  it('have a defect each, and a symptom that tells something', () => {
    for (const { name, receiver, sender, queue, words, symptom } of MUTANTS) {
      assert.notDeepEqual({ ...receiver, ...sender, ...queue, ...words }, {}, name)
      assert.ok(String(typeof symptom === 'string' ? symptom : symptom.source).length > 8, name)
    }
  })

  it('explain only what the selftest looks at beside their own requirement', () => {
    // What the control of a sampled requirement shows that fails is held against another one: `requirementOf`.
    const sampled = [...Object.values(SAMPLE).flat(), 'EXO-OPP-01']
    for (const { name, requirement, explains = [] } of MUTANTS)
      for (const id of explains) assert.ok(id !== requirement && sampled.includes(id), `${name}: ${id}`)
  })
})
