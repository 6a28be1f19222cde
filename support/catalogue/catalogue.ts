import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import schemaJson from '../../features/requirements/requirements.schema.json' with { type: 'json' }
import { InputError } from '../input-error.ts'
import { nearest } from '../nearest.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { readYaml, schemaOf } from '../yaml-file.ts'

/** The areas of the catalogue, in the order for readers. Each area is one file of `features/requirements/`. */
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
  'gateway-base',
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

/**
 * The profiles that a run judges if neither the command line nor the gateway file names a profile. They have nothing
 * that only one vendor's text asks for.
 */
export const DEFAULT_PROFILES: readonly Profile[] = ['gateway-base', 'starttls-base', 'tls-bcp-2022']

/** The additional profile for a capability, which a run judges if the gateway claims this capability. */
export const CAPABILITY_PROFILES = {
  dane: 'dane',
  'mta-sts': 'mta-sts',
  tlsrpt: 'tlsrpt',
  requiretls: 'requiretls',
  submission: 'submission',
} as const satisfies Record<string, Profile>

/** One requirement of the catalogue, with the keys of its file. requirements.schema.json explains each key. */
export interface Requirement {
  id: string
  area: Area
  /** The role of the gateway that the requirement applies to. */
  actor: 'sender' | 'receiver' | 'both'
  /** `observed` is a fact, or an outcome that the sources leave open. A gateway cannot break it, but can differ from it. */
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
  /** Clauses that no step checks, each in a sentence that says why not. */
  untested?: string[]
  /** What the lab needs for this requirement. */
  needs: string[]
  sentences?: string[]
  source_basis: string
}

/** The frozen requirements, in the order of `AREAS`, and within an area in the order of its file. */
export interface Catalogue {
  readonly requirements: readonly Requirement[]
  /** The profiles that have at least one requirement, in the order of `PROFILES`. */
  readonly profiles: readonly Profile[]
  has(id: string): boolean
  /** Throws InputError with the most similar ids if no requirement has this id. */
  get(id: string): Requirement
  /** Throws InputError with all profiles if no profile has this name. */
  inProfile(profile: string): readonly Requirement[]
}

/** The catalogue of the package. */
export const REQUIREMENTS_FOLDER = join(PACKAGE_ROOT, 'features/requirements')

const schema = schemaOf<Requirement[]>(schemaJson)
const loaded = new Map<string, Catalogue>()

/**
 * Reads and checks all `*.yaml` files of a folder; reads the same folder only once. Throws InputError with file, line, column
 * and key if an entry does not fit the schema, is in the file of another area, or repeats an id.
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
