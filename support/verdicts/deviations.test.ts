import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  applicableDeviations,
  loadDeviations,
  proposeDeviations,
  recordedDeviation,
  staleDeviations,
  staleVerdicts,
  writeDeviations,
} from './deviations.ts'
import { type Deviation, judge, type Verdict, type VerdictName } from './verdict.ts'

const ENTRY = `- requirement: EXO-FRC-08
  symptom: delivered although the certificate is revoked
  versions: ">=3.5"
  why: It does not consult revocation lists.
  reference: https://gateway.example/TLS_README.html
  since: 2026-11-21
`

const entry = (changed: Partial<Deviation> = {}): Deviation => ({
  requirement: 'EXO-FRC-08',
  symptom: 'delivered although revoked',
  why: 'It does not look.',
  since: '2026-11-21',
  ...changed,
})

const verdict = (name: VerdictName, changed: Partial<Verdict> = {}): Verdict => ({
  requirement: 'EXO-FRC-08',
  level: 'must',
  actor: 'sender',
  scenario: 'features/x.feature:1',
  title: 'x',
  control: false,
  verdict: name,
  detail: 'the message was delivered although revoked',
  durationMs: 1,
  ...changed,
})

describe('a deviations file', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'deviations-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const written = (text: string) => {
    const file = join(folder, 'deviations.yaml')
    writeFileSync(file, text)
    return file
  }
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => loadDeviations(written(text)), { name: 'InputError', message })

  it('is read as the contract shows it', () => {
    assert.deepEqual(loadDeviations(written(ENTRY)), [
      {
        requirement: 'EXO-FRC-08',
        symptom: 'delivered although the certificate is revoked',
        versions: '>=3.5',
        why: 'It does not consult revocation lists.',
        reference: 'https://gateway.example/TLS_README.html',
        since: '2026-11-21',
      },
    ])
  })

  it('may hold nothing', () => {
    assert.deepEqual(loadDeviations(written('[]\n')), [])
  })

  it('may hold several symptoms of a requirement, and one symptom for several ranges', () => {
    const other = ENTRY.replace('is revoked', 'has expired')
    const older = ENTRY.replace('>=3.5', '<3')
    assert.equal(loadDeviations(written(ENTRY + other + older)).length, 3)
  })

  it('refuses what the schema does not know', () => {
    refused(`${ENTRY}  sinse: x\n`, /deviations\.yaml:7:3: \[0\]\.sinse: unknown key; did you mean since\?$/)
    refused(ENTRY.replace('  symptom: d', '  # d'), /deviations\.yaml:1:3: \[0\]: symptom is missing$/)
    refused(
      ENTRY.replace('">=3.5"', '3.5'),
      /deviations\.yaml:3:13: \[0\]\.versions: must be a string, not 3\.5; put it in quotes$/,
    )
    refused(
      ENTRY.replace('2026-11-21', 'today'),
      /deviations\.yaml:6:10: \[0\]\.since: must be a date, not "today"$/,
    )
    refused(
      ENTRY.replace('https://gateway.example/', ''),
      /deviations\.yaml:5:14: \[0\]\.reference: must be a uri/,
    )
    refused(
      ENTRY.replace(/symptom: .*/, 'symptom: " "'),
      /deviations\.yaml:2:12: \[0\]\.symptom: must match pattern/,
    )
  })

  it('refuses a requirement that is not in the catalogue', () => {
    refused(
      ENTRY.replace('EXO-FRC-08', 'EXO-FRC-80'),
      /deviations\.yaml:1:16: \[0\]\.requirement: there is no requirement EXO-FRC-80; did you mean EXO-FRC-/,
    )
  })

  it('refuses a range that is none', () => {
    refused(
      ENTRY.replace('>=3.5', 'newer'),
      /deviations\.yaml:3:13: \[0\]\.versions: "newer" is not a range of versions/,
    )
  })

  it('refuses an entry that is given twice', () => {
    refused(
      ENTRY + ENTRY.replace('delivered', 'Delivered'),
      /deviations\.yaml:7:3: \[1\]: is the same as an entry before$/,
    )
  })

  it('that is not there is refused', () => {
    assert.throws(() => loadDeviations(join(folder, 'none.yaml')), {
      name: 'InputError',
      message: /there is no such file/,
    })
  })

  it('is written where there was none, with the line by which editors find its schema', () => {
    const file = join(folder, 'new.yaml')
    writeDeviations(file, ENTRY)
    const [modeline, ...entry] = readFileSync(file, 'utf8').split('\n')
    assert.match(modeline!, /^# yaml-language-server: \$schema=\S+\/deviations\.schema\.json$/)
    assert.equal(entry.join('\n'), ENTRY)
  })

  it('is never overwritten', () => {
    const file = written('mine')
    assert.throws(() => writeDeviations(file, ENTRY), {
      name: 'InputError',
      message: /this exists already and is not overwritten$/,
    })
    assert.equal(readFileSync(file, 'utf8'), 'mine')
  })

  it('cannot be written where there is no folder', () => {
    assert.throws(() => writeDeviations(join(folder, 'no/such.yaml'), ENTRY), {
      name: 'InputError',
      message: /ENOENT/,
    })
  })
})

describe('a deviation', () => {
  const applies = (versions: string | undefined, version: string) =>
    applicableDeviations([versions === undefined ? entry() : entry({ versions })], { name: 'a', version })
      .length === 1

  it('is for the versions in its range, as products number them', () => {
    for (const [versions, version] of [
      ['>=3.5', '3.10.13'],
      ['>=3.5', '3.5'],
      ['8.17.x', '8.17.1.9'],
      ['~4.99', '4.99'],
      ['7.6.x', '7.6.0p1'],
      ['>=3', 'Postfix 3.10.13'],
    ] as const)
      assert.ok(applies(versions, version), `${version} is in ${versions}`)
    for (const [versions, version] of [
      ['>=3.5', '3.4.23'],
      ['<8.17', '8.17.1.9'],
      ['4.98.x', '4.99'],
    ] as const)
      assert.ok(!applies(versions, version), `${version} is not in ${versions}`)
  })

  it('without a range is for every version, even an unknown one', () => {
    assert.ok(applies(undefined, '1.0'))
    assert.ok(applies(undefined, 'unknown'))
    assert.ok(!applies('*', 'unknown'))
  })

  it('is for the one gateway that it names, if it names one', () => {
    const entries = [entry(), entry({ gateway: 'postfix@bullseye' })]
    const version = '3.5.25'
    assert.equal(applicableDeviations(entries, { name: 'postfix@bullseye', version }).length, 2)
    assert.deepEqual(applicableDeviations(entries, { name: 'postfix', version }), [entries[0]])
  })

  it('is for a product that stands in for the service alone, if it names the stand-in', () => {
    const entries = [entry({ gateway: 'postfix-as-exchange-online-2018' })]
    const gateway = { name: 'postfix', version: '3.10.13' }
    assert.deepEqual(applicableDeviations(entries, gateway), [])
    const standIn = 'postfix-as-exchange-online-2018'
    assert.deepEqual(applicableDeviations(entries, { ...gateway, standIn }), entries)
  })

  it('is found by the symptom of an observation, which its sentence may not have word by word', () => {
    const lost = entry({ symptom: 'lost after DATA' })
    const seen = { requirement: 'EXO-FRC-08', detail: 'lost (4F2) after DATA', symptom: 'Lost after DATA' }
    assert.equal(recordedDeviation([lost], seen), lost)
    assert.equal(recordedDeviation([lost], { ...seen, symptom: 'lost' }), undefined)
  })

  it('is found by requirement and symptom', () => {
    const revoked = entry()
    const expired = entry({ symptom: 'Delivered although expired' })
    const found = (requirement: string, detail: string) =>
      recordedDeviation([revoked, expired], { requirement, detail })
    assert.equal(found('EXO-FRC-08', 'the message was Delivered although Revoked'), revoked)
    assert.equal(found('EXO-FRC-08', 'the message was delivered although expired'), expired)
    assert.equal(found('EXO-FRC-08', 'the message was lost'), undefined)
    assert.equal(found('EXO-FRC-07', 'the message was delivered although revoked'), undefined)
  })
})

describe('stale deviations', () => {
  const stale = (...names: VerdictName[]) =>
    staleDeviations(
      [entry()],
      names.map(name => verdict(name)),
    ).length === 1

  it('are those that a decided run did not show', () => {
    assert.ok(stale('conformant'))
    assert.ok(stale('conformant', 'inapplicable'))
    assert.ok(!stale('deviates'))
    assert.ok(!stale('conformant', 'deviates'))
  })

  it('include those whose requirement failed in another way', () => {
    assert.ok(stale('non-conformant'))
    assert.ok(stale('declined'))
  })

  it('include none that is about circumstances, which runs choose otherwise', () => {
    const conditional = entry({ symptom: 'delivered (only when the partner greets: in three lines)' })
    assert.deepEqual(staleDeviations([conditional], [verdict('conformant')]), [])
  })

  it('do not follow from what was not decided', () => {
    assert.ok(!stale())
    assert.ok(!stale('inapplicable'))
    assert.ok(!stale('inconclusive'))
    assert.ok(!stale('lab-error'))
    assert.ok(!stale('conformant', 'inconclusive'))
    assert.ok(!stale('conformant', 'lab-error'))
  })

  it('do not follow from another requirement', () => {
    assert.deepEqual(staleDeviations([entry()], [verdict('conformant', { requirement: 'EXO-FRC-07' })]), [])
    assert.deepEqual(
      staleDeviations([entry()], [verdict('conformant'), verdict('deviates', { requirement: 'EXO-FRC-07' })]),
      [entry()],
    )
  })

  it('are told apart by symptom', () => {
    const expired = entry({ symptom: 'although expired' })
    assert.deepEqual(staleDeviations([entry(), expired], [verdict('deviates')]), [expired])
  })

  it('do not show in the reason of another entry', () => {
    const other = entry({ symptom: 'does not look' })
    const { detail } = judge({
      level: 'must',
      observation: { kind: 'broken', detail: 'the message was delivered although revoked' },
      deviation: entry(),
    })
    assert.match(detail, /It does not look/)
    assert.deepEqual(staleDeviations([entry(), other], [verdict('deviates', { detail })]), [other])
  })
})

describe('proposed deviations', () => {
  const gateway = { name: 'edge', version: '3.10.13' }
  const today = '2026-11-21'

  it('are a file that is valid as it is and excuses the run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deviations-'))
    try {
      const file = join(folder, 'deviations.yaml')
      const detail = `delivered: "250 2.0.0", ${'although revoked '.repeat(20)}# at once`
      writeDeviations(file, proposeDeviations([verdict('non-conformant', { detail })], gateway, { today }))
      const [proposed, ...rest] = applicableDeviations(loadDeviations(file), {
        name: 'a',
        version: '3.10.14',
      })
      assert.deepEqual(rest, [])
      assert.deepEqual(proposed, {
        requirement: 'EXO-FRC-08',
        symptom: detail,
        versions: '3.10.x',
        why: 'Proposed by a run on 2026-11-21. Write here why the gateway does this.',
        since: today,
      })
      assert.equal(recordedDeviation([proposed!], { requirement: 'EXO-FRC-08', detail }), proposed)
      assert.deepEqual(applicableDeviations([proposed!], { name: 'a', version: '3.11.0' }), [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  const proposed = (verdicts: Verdict[], options = {}) =>
    proposeDeviations(verdicts, gateway, { today, ...options }).match(/^- requirement/gm)?.length ?? 0

  it('are one for each requirement and symptom', () => {
    const verdicts = [
      verdict('non-conformant'),
      verdict('non-conformant', { scenario: 'features/x.feature:9' }),
      verdict('non-conformant', { detail: 'the message was lost' }),
      verdict('non-conformant', { requirement: 'EXO-FRC-07' }),
    ]
    assert.equal(proposed(verdicts), 3)
  })

  it('are one for failures that differ in a queue id alone', () => {
    const accepted = (id: string) =>
      verdict('non-conformant', {
        detail: `the gateway accepted the message: 250 queued as ${id}`,
        symptom: 'the gateway accepted the message',
      })
    const text = proposeDeviations([accepted('4F2'), accepted('5A7')], gateway, { today })
    assert.equal(text.match(/^- requirement/gm)?.length, 1)
    assert.match(text, /^ {2}symptom: the gateway accepted the message$/m)
  })

  it('keep what is recorded already, without what is stale', () => {
    const [older, stale, shown] = [
      entry({ versions: '<3', symptom: 'older' }),
      entry({ symptom: 'stale' }),
      entry(),
    ]
    const text = proposeDeviations(
      [verdict('deviates'), verdict('non-conformant', { detail: 'the message was lost' })],
      gateway,
      { today, recorded: [older, stale, shown], stale: [stale] },
    )
    const folder = mkdtempSync(join(tmpdir(), 'deviations-'))
    try {
      const file = join(folder, 'deviations.yaml')
      writeDeviations(file, text)
      const [first, second, added, ...rest] = loadDeviations(file)
      assert.deepEqual([first, second, rest], [older, shown, []])
      assert.equal(added?.symptom, 'the message was lost')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('are for what failed, which with `strict` includes what was declined', () => {
    for (const name of [
      'conformant',
      'deviates',
      'stale',
      'inapplicable',
      'inconclusive',
      'lab-error',
    ] as const)
      assert.equal(proposed([verdict(name)], { strict: true }), 0, name)
    assert.equal(proposed([verdict('declined')]), 0)
    assert.equal(proposed([verdict('declined')], { strict: true }), 1)
  })

  it('of a good run are an empty list', () => {
    assert.equal(proposeDeviations([], gateway, { today }), '# Known deviations of edge 3.10.13\n[]\n')
  })

  it('have no range when the version cannot be compared', () => {
    const text = proposeDeviations(
      [verdict('non-conformant')],
      { name: 'edge\nx: y', version: 'unknown' },
      { today },
    )
    assert.match(text, /^# Known deviations of edge\?x: y unknown\n- requirement/)
    assert.ok(!text.includes('versions'))
  })
})

describe('the verdict on a stale deviation', () => {
  const other = { requirement: 'EXO-FRC-02', level: 'should', scenario: 'features/x.feature:3' } as const

  it('stands beside the verdicts of its requirement, with what is true of the first of them', () => {
    const first = verdict('conformant', { control: true, evidence: 'evidence/EXO-FRC-08/1' })
    const verdicts = [
      verdict('conformant', other),
      first,
      verdict('declined', { scenario: 'features/y.feature:9' }),
    ]
    const { requirement, level, actor, scenario } = first
    assert.deepEqual(staleVerdicts([entry()], verdicts), [
      {
        ...{ requirement, level, actor, scenario },
        title: 'a recorded deviation no longer shows',
        control: false,
        verdict: 'stale',
        detail: 'this symptom was recorded on 2026-11-21 and no longer shows: delivered although revoked',
        deviation: entry(),
        durationMs: 0,
      },
    ])
  })

  it('is none where nothing is stale', () => {
    assert.deepEqual(staleVerdicts([], [verdict('conformant')]), [])
  })

  it('needs a requirement that was judged', () => {
    assert.throws(() => staleVerdicts([entry()], [verdict('conformant', other)]), /EXO-FRC-08 was not judged/)
  })
})
