import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import schemaJson from '../../features/requirements/requirements.schema.json' with { type: 'json' }
import { InputError } from '../input-error.ts'
import { nearest } from '../nearest.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { readYaml, schemaOf } from '../yaml-file.ts'

/** In the order in which people read about them; each is one file of `features/requirements/`. */
export const AREAS = [
  'outbound',
  'inbound',
  'server-to-server',
  'certificate',
  'transition',
  'revocation',
  'protocol',
  'downgrade',
  'message',
  'policy-dane',
  'policy-mta-sts',
  'reporting',
] as const
export type Area = (typeof AREAS)[number]

export const PROFILES = [
  'exchange-online-2018',
  'exchange-online-2021',
  'exchange-online-current',
  'm365-tls12-2020',
  'starttls-base',
  'tls-bcp-2022',
  'dane',
  'mta-sts',
  'tlsrpt',
  'requiretls',
  'submission',
  'nist-800-52r2',
  'bsi-tr-03108',
  'ncsc-nl-internet-nl',
  'm3aawg',
] as const
export type Profile = (typeof PROFILES)[number]

/** Judged when neither the command line nor the gateway file names any (design contract, section 5). */
export const DEFAULT_PROFILES: readonly Profile[] = ['exchange-online-2021', 'starttls-base', 'tls-bcp-2022']

/** Profiles that come in addition when a gateway claims the capability. */
export const CAPABILITY_PROFILES = {
  dane: 'dane',
  'mta-sts': 'mta-sts',
  tlsrpt: 'tlsrpt',
  requiretls: 'requiretls',
  submission: 'submission',
} as const satisfies Record<string, Profile>

/** One entry of the catalogue, with the keys of its file; requirements.schema.json says what each means. */
export interface Requirement {
  id: string
  area: Area
  /** The role in which the gateway is bound. */
  actor: 'sender' | 'receiver' | 'both'
  /** `observed`: a fact, or an outcome that the sources leave open; it cannot be broken, only differ. */
  level: 'must' | 'should' | 'may' | 'observed'
  source: string[]
  profiles: Profile[]
  statement: string
  given: string
  when: string
  then: string
  evidence: string
  /** The defect that a check of this requirement must find. */
  negative_control: string
  /** What the lab must be able to do. */
  needs: string[]
  sentences?: string[]
  source_basis: string
}

/** The requirements, frozen in the order of `AREAS` and, within an area, of its file. */
export interface Catalogue {
  readonly requirements: readonly Requirement[]
  /** Every profile that a requirement belongs to, in the order of `PROFILES`. */
  readonly profiles: readonly Profile[]
  has(id: string): boolean
  /** Throws InputError with the nearest ids when there is none of this name. */
  get(id: string): Requirement
  /** Throws InputError with all profiles when there is none of this name. */
  inProfile(profile: string): readonly Requirement[]
}

/** The catalogue that ships with the package. */
export const REQUIREMENTS_FOLDER = join(PACKAGE_ROOT, 'features/requirements')

const schema = schemaOf<Requirement[]>(schemaJson)
const loaded = new Map<string, Catalogue>()

/**
 * Reads and checks all `*.yaml` of a folder; the same folder only once. Throws InputError that names file, line,
 * column and key when an entry does not fit the schema, stands in another area's file, or repeats an id.
 */
export function loadCatalogue(folder = REQUIREMENTS_FOLDER): Catalogue {
  const known = loaded.get(folder)
  if (known) return known
  const catalogue = catalogueOf(readFolder(folder))
  loaded.set(folder, catalogue)
  return catalogue
}

function readFolder(folder: string): Requirement[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.yaml'))
  if (names.length === 0) throw new InputError(`${folder}: there are no requirements here`)
  const places = new Map<string, string>()
  const requirements: Requirement[] = []
  for (const name of names.sort()) {
    const path = relative(process.cwd(), join(folder, name))
    const { value, problem } = readYaml(path, schema)
    for (const [index, requirement] of value.entries()) {
      const { id, area } = requirement
      if (`${area}.yaml` !== name) throw problem([index, 'area'], `${area} belongs into ${area}.yaml`)
      const other = places.get(id)
      if (other) throw problem([index, 'id'], `${id} is already in ${other}`)
      places.set(id, name)
      requirements.push(requirement)
    }
  }
  return requirements.sort((a, b) => AREAS.indexOf(a.area) - AREAS.indexOf(b.area))
}

function catalogueOf(requirements: Requirement[]): Catalogue {
  const byId = new Map(requirements.map(requirement => [requirement.id, Object.freeze(requirement)]))
  const profiles = PROFILES.filter(profile => requirements.some(entry => entry.profiles.includes(profile)))
  return Object.freeze<Catalogue>({
    requirements: Object.freeze(requirements),
    profiles: Object.freeze(profiles),
    has: id => byId.has(id),
    get(id) {
      const requirement = byId.get(id)
      if (requirement) return requirement
      const near = nearest(id, byId.keys())
      const advice =
        near.length > 0 ? `did you mean ${near.join(' or ')}?` : '`mail-tls requirements` lists them'
      throw new InputError(`there is no requirement ${id}; ${advice}`)
    },
    inProfile(profile) {
      const found = requirements.filter(entry => (entry.profiles as string[]).includes(profile))
      if (found.length > 0) return found
      throw new InputError(`there is no profile ${profile}; there are ${profiles.join(', ')}`)
    },
  })
}
