import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import schema from '../../features/requirements/requirements.schema.json' with { type: 'json' }
import {
  AREAS,
  CAPABILITY_PROFILES,
  DEFAULT_PROFILES,
  loadCatalogue,
  PROFILES,
  REQUIREMENTS_FOLDER,
} from './catalogue.ts'

const ENTRY = `- id: TRY-01
  area: outbound
  actor: sender
  level: must
  source: [RFC 3207 s4]
  profiles: [starttls-base]
  statement: Something holds.
  given: A situation
  when: It happens
  then: It is seen
  evidence: A capture
  negative_control: A gateway without it must fail
  needs: []
  source_basis: RFC text read
`

describe('the catalogue', () => {
  const catalogue = loadCatalogue()

  it('holds 185 requirements, area by area', () => {
    assert.equal(catalogue.requirements.length, 185)
    const areas = catalogue.requirements.map(({ area }) => area)
    assert.deepEqual([...new Set(areas)], [...AREAS])
    assert.deepEqual(
      areas,
      areas.toSorted((a, b) => AREAS.indexOf(a) - AREAS.indexOf(b)),
    )
  })

  it('is read only once', () => {
    assert.equal(loadCatalogue(), catalogue)
  })

  it('cannot be changed by its readers', () => {
    assert.throws(() => {
      catalogue.get('EXO-FRC-01').level = 'may'
    }, TypeError)
  })

  it('finds a requirement by its id', () => {
    const requirement = catalogue.get('EXO-FRC-01')
    assert.equal(requirement.level, 'must')
    assert.equal(requirement.actor, 'sender')
    assert.match(requirement.negative_control, /must fail/)
    assert.ok(catalogue.has('EXO-FRC-01'))
    assert.ok(!catalogue.has('EXO-FRC-99'))
  })

  it('suggests similar ids for an unknown id', () => {
    assert.throws(() => catalogue.get('EXO-FRC-1'), {
      name: 'InputError',
      message: /^there is no requirement EXO-FRC-1; did you mean EXO-FRC-01 or /,
    })
    assert.throws(() => catalogue.get('what is this'), { message: /`mail-tls requirements` lists them/ })
  })

  it('finds the requirements of a profile', () => {
    const dane = catalogue.inProfile('dane')
    assert.equal(dane.length, 26)
    assert.ok(dane.every(({ profiles }) => profiles.includes('dane')))
  })

  it('lists the profiles for an unknown profile', () => {
    assert.throws(() => catalogue.inProfile('dnae'), {
      name: 'InputError',
      message: `there is no profile dnae; there are ${PROFILES.join(', ')}`,
    })
  })

  it('has every profile that a run judges by default or for a capability', () => {
    assert.deepEqual(DEFAULT_PROFILES, ['gateway-base', 'starttls-base', 'tls-bcp-2022'])
    assert.deepEqual(Object.keys(CAPABILITY_PROFILES), [
      'dane',
      'mta-sts',
      'tlsrpt',
      'requiretls',
      'submission',
    ])
    for (const profile of [...DEFAULT_PROFILES, ...Object.values(CAPABILITY_PROFILES)])
      assert.ok(catalogue.profiles.includes(profile), profile)
  })

  it('judges by default nothing that only one vendor asks for', () => {
    const byDefault = new Set(DEFAULT_PROFILES.flatMap(name => catalogue.inProfile(name).map(({ id }) => id)))
    const vendors = ['EXO-OPP-03', 'EXO-CIP-01', 'EXO-CIP-02', 'EXO-CIP-03', 'EXO-CRT-02', 'EXO-CRT-08']
    assert.deepEqual(
      vendors.filter(id => byDefault.has(id)),
      [],
    )
    for (const id of ['EXO-FRC-01', 'EXO-FRC-11', 'EXO-OPP-01', 'EXO-VER-03'])
      assert.ok(byDefault.has(id), id)
  })

  it('agrees with its schema about areas, levels, actors and profiles', () => {
    const { area, level, actor, profiles } = schema.items.properties
    assert.deepEqual(area.enum, [...AREAS])
    assert.deepEqual(profiles.items.enum, [...PROFILES])
    const used = (key: 'level' | 'actor') =>
      new Set(catalogue.requirements.map(entry => entry[key] as string))
    assert.deepEqual(used('level'), new Set(level.enum))
    assert.deepEqual(used('actor'), new Set(actor.enum))
  })

  it('names its schema in the first line of each file', () => {
    for (const name of readdirSync(REQUIREMENTS_FOLDER).filter(name => name.endsWith('.yaml')))
      assert.equal(
        readFileSync(join(REQUIREMENTS_FOLDER, name), 'utf8').split('\n')[0],
        '# yaml-language-server: $schema=./requirements.schema.json',
        name,
      )
  })
})

describe('a folder of requirements', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'catalogue-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const refused = (files: Record<string, string>, message: RegExp) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    assert.throws(() => loadCatalogue(folder), { name: 'InputError', message })
  }

  it('can be anywhere', () => {
    writeFileSync(join(folder, 'outbound.yaml'), ENTRY)
    const catalogue = loadCatalogue(folder)
    assert.deepEqual(
      catalogue.requirements.map(({ id }) => id),
      ['TRY-01'],
    )
    assert.deepEqual(catalogue.profiles, ['starttls-base'])
    assert.throws(() => catalogue.inProfile('dane'), { message: /there are starttls-base$/ })
  })

  it('refuses an unknown key', () => {
    refused(
      { 'outbound.yaml': `${ENTRY}  lvel: must\n` },
      /outbound\.yaml:15:3: \[0\]\.lvel: unknown key; did you mean level\?/,
    )
  })

  it('refuses values that are not in the lists of the schema', () => {
    for (const [from, to, message] of [
      [
        'actor: sender',
        'actor: client',
        /outbound\.yaml:3:10: \[0\]\.actor: must be one of sender, receiver, both/,
      ],
      [
        'level: must',
        'level: shall',
        /outbound\.yaml:4:10: \[0\]\.level: must be one of must, should, may, observed/,
      ],
      ['[starttls-base]', '[starttls]', /outbound\.yaml:6:14: \[0\]\.profiles\[0\]: must be one of /],
      ['needs: []', 'needs: [luck]', /outbound\.yaml:13:11: \[0\]\.needs\[0\]: must be one of /],
      [
        'statement: Something holds.',
        'statement:',
        /outbound\.yaml:7:13: \[0\]\.statement: must be a string, not empty/,
      ],
    ] as const)
      refused({ 'outbound.yaml': ENTRY.replace(from, to) }, message)
  })

  it('refuses a requirement in the file of another area', () => {
    refused({ 'inbound.yaml': ENTRY }, /inbound\.yaml:2:9: \[0\]\.area: outbound belongs into outbound\.yaml/)
  })

  it('refuses an id that occurs twice', () => {
    refused(
      { 'outbound.yaml': ENTRY + ENTRY },
      /outbound\.yaml:15:7: \[1\]\.id: TRY-01 is already in outbound\.yaml/,
    )
  })

  it('must not be empty', () => {
    refused({}, /there are no requirements here/)
  })
})
