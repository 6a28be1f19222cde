import { globSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import {
  AREAS,
  CAPABILITY_PROFILES,
  type Catalogue,
  DEFAULT_PROFILES,
  loadCatalogue,
  type Profile,
  type Requirement,
} from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { loadRemedies } from '../catalogue/remedies.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { rangeOf } from '../circumstances/range.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { counted } from '../quantities.ts'
import type { Matrix } from '../report/matrix.ts'
import { markupIn } from '../report/templates.ts'
import { AREA_TITLES, MEANINGS } from '../report/words.ts'
import { BY_URGENCY } from '../verdicts/verdict.ts'
import { pageOf, type Rendered, rendered } from './markdown.ts'
import { sourceParts } from './source-names.ts'
import { type SpecifiedFeature, specification } from './specification.ts'

/** A page of the site. */
export interface Page {
  /** Of its file in the site. */
  path: string
  /** What sort of page it is, in a word or two. */
  kind: string
  title: string
  /** HTML; where it has sections, they begin with `<h2 id="`. */
  body: string
  /** The word beside the title. */
  stamp?: string
  facts?: [name: string, text: string][]
  /** What the search finds: the page, each section of it, or no more than its title. */
  found: 'page' | 'sections' | 'title'
}

/** Markdown that is a page. What else it links to becomes a page too. */
const DOCUMENTS = ['{README,CONTRIBUTING,CHANGELOG,features/README}.md', 'docs/{,decisions/,findings/}*.md']

const templates = markupIn(join(import.meta.dirname, '..'))
export const source = (path: string) => readFileSync(join(PACKAGE_ROOT, path), 'utf8')
const requirementPage = (id: string) => `requirements/${id}.html`
const profilePage = (profile: string) => `requirements/profile-${profile}.html`

/** A template of this folder for a page; `it.to` turns the path of another page into an address. */
export function render(template: string, path: string, data: object): string {
  const to = (target: string) => posix.relative(posix.dirname(path), target)
  return templates.render(`./site/${template}`, {
    ...{ path, to, requirementPage, profilePage, sourceParts },
    ...data,
  })
}

/** A page that one template makes. */
const pageWith = (
  template: string,
  { data = {}, ...page }: Omit<Page, 'body' | 'found'> & { data?: object; found?: Page['found'] },
): Page => ({ found: 'title', ...page, body: render(template, page.path, data) })

/** What the pages are made from. */
interface Material {
  catalogue: Catalogue
  rules: FeatureRule[]
  features: SpecifiedFeature[]
  documents: DocumentPage[]
  /** The documents about faults of products. */
  findings: DocumentPage[]
  matrix: Matrix | undefined
  tested(requirement: Requirement): boolean
}

/** All pages, and the images that they show as paths from the root of the repository. */
export function sitePages(matrix: Matrix | undefined): { pages: Page[]; images: string[] } {
  const catalogue = loadCatalogue()
  const rules = loadFeatures(catalogue)
  const withRule = new Set(rules.map(({ requirement }) => requirement))
  const documents = globSync(DOCUMENTS, { cwd: PACKAGE_ROOT })
    .sort()
    .map(file => documentPage(file, catalogue.has))
  const material: Material = {
    ...{ catalogue, rules, features: specification(rules), documents, matrix },
    findings: documents.filter(({ about }) => about !== ''),
    tested: ({ id }) => withRule.has(id),
  }
  const pages = [
    homePage(material),
    ...listPages(material),
    ...requirementPages(material),
    ...featurePages(material),
    ...documentPages(material),
    matrixPage(material),
    pageWith('search', { path: 'search.html', kind: 'Search', title: 'Search' }),
  ]
  return { pages, images: documents.flatMap(({ images }) => images) }
}

function homePage({ catalogue: { requirements }, rules, findings, matrix, tested }: Material): Page {
  return pageWith('home', {
    ...{ path: 'index.html', kind: 'Mail TLS conformance' },
    title: 'What a mail gateway should do with TLS, and which mail servers do it',
    data: {
      ...{ matrix, findings, requirements: requirements.length },
      tested: requirements.filter(tested).length,
      areas: byArea(requirements),
      examples: rules.reduce((sum, { examples }) => sum + examples.length, 0),
    },
  })
}

/** The lists of requirements: all, those of each profile, and those of each section of a source. */
function listPages({ catalogue, tested }: Material): Page[] {
  const all = catalogue.requirements
  const list = (path: string, kind: string, title: string, chosen: readonly Requirement[]) =>
    pageWith('catalogue', { path, kind, title, data: { areas: byArea(chosen), tested } })
  const profiles = catalogue.profiles.map(profile => {
    const chosen = catalogue.inProfile(profile)
    return { profile, chosen, tested: chosen.filter(tested).length, judged: judged(profile) }
  })
  return [
    list('requirements/index.html', 'Requirements', `${all.length} requirements`, all),
    ...profiles.map(({ profile, chosen, tested }) => {
      const title = `Profile ${profile}: ${counted(chosen.length, 'requirement')}, ${tested} tested`
      return list(profilePage(profile), 'Profile', title, chosen)
    }),
    pageWith('profiles', {
      ...{ path: 'requirements/profiles.html', kind: 'Requirements', title: 'Profiles', data: { profiles } },
    }),
    pageWith('sources', {
      ...{ path: 'requirements/sources.html', kind: 'Requirements', title: 'Sources by section' },
      data: { sources: sourcesOf(all) },
    }),
  ]
}

function requirementPages({ catalogue, rules, features, findings, matrix }: Material): Page[] {
  const [gaps, remedies, dimensions] = [loadGaps(), loadRemedies(), loadDimensions()]
  const specified = features.flatMap(({ rules }) => rules)
  return catalogue.requirements.map(requirement => {
    const { id, actor, area, level, statement } = requirement
    const own = rules.filter(({ requirement }) => requirement === id)
    const examples = own.reduce((sum, { examples }) => sum + examples.length, 0)
    const row = matrix?.rows.find(row => row.id === id)
    return pageWith('requirement', {
      ...{
        path: requirementPage(id),
        kind: `Requirement ${id}`,
        title: statement,
        stamp: level,
        found: 'page',
      },
      facts: [
        ['Role of the gateway', actor === 'both' ? 'sender and receiver' : actor],
        ['Area', AREA_TITLES[area]],
        ['Examples', examples > 0 ? String(examples) : 'none yet'],
      ],
      data: {
        ...{ requirement, matrix, judged, gap: gaps.get(id), remedy: remedies.get(id) },
        rules: specified.filter(rule => rule.requirement === id),
        range: [...Map.groupBy(rangeOf(id, rules, dimensions), ({ role }) => role)],
        findings: findings.filter(({ about }) => about === id),
        cells: row?.cells.map((cell, at) => ({ ...matrix!.columns[at]!, ...cell })) ?? [],
      },
    })
  })
}

function featurePages({ features }: Material): Page[] {
  const folders = [...Map.groupBy(features, ({ uri }) => posix.basename(posix.dirname(uri)))]
  return [
    pageWith('features', {
      ...{ path: 'features/index.html', kind: 'Features', title: 'The behaviour, as examples that run' },
      data: { folders },
    }),
    ...features.map(feature =>
      pageWith('feature', {
        ...{ path: feature.page, kind: 'Feature', title: feature.name, found: 'sections', data: { feature } },
      }),
    ),
  ]
}

/** The documents, a list of them, and what they link to. */
function documentPages({ documents }: Material): Page[] {
  const linked = new Set(documents.flatMap(({ links }) => links).filter(path => !path.endsWith('.md')))
  const folders = [...Map.groupBy(documents, ({ path }) => posix.dirname(path))]
  return [
    ...documents,
    pageWith('documents', {
      ...{ path: 'docs/index.html', kind: 'Documents', title: 'Documents', data: { folders } },
    }),
    ...[...linked].map(filePage),
  ]
}

/** A Markdown file; `about` is the requirement of a page about a fault, and otherwise empty. */
type DocumentPage = Page & Pick<Rendered, 'links' | 'images'> & { about: string }

function documentPage(file: string, isRequirement: (id: string) => boolean): DocumentPage {
  const path = pageOf(file)
  const written = source(file)
  const addressOf = (id: string) =>
    isRequirement(id) ? posix.relative(posix.dirname(path), requirementPage(id)) : undefined
  const { html, ...told } = rendered(file, written, addressOf)
  const kind = file.startsWith('docs/findings/') ? 'Fault of a product' : 'Document'
  const about = /^\| requirement \| (\S+)/m.exec(written)?.[1] ?? ''
  return { path, kind, ...told, body: `<div class="text">${html}</div>`, found: 'sections', about }
}

/** A file of the repository, or the files of a folder, as they are. What is in its folders may be a user's own. */
function filePage(path: string): Page {
  const isFile = (name: string) => statSync(join(PACKAGE_ROOT, name)).isFile()
  const names = isFile(path) ? [path] : globSync(`${path}/*`, { cwd: PACKAGE_ROOT }).filter(isFile).sort()
  const files = names.map(name => ({ name, text: source(name) }))
  return pageWith('files', { path: pageOf(path), kind: 'File', title: path, found: 'page', data: { files } })
}

function matrixPage({ catalogue, matrix }: Material): Page {
  return pageWith('matrix', {
    ...{ path: 'matrix.html', kind: 'Products', title: 'Which mail servers keep which requirement' },
    data: {
      matrix,
      pageOf: (id: string) => (catalogue.has(id) ? requirementPage(id) : undefined),
      legend: BY_URGENCY.map(verdict => ({ verdict, meaning: MEANINGS[verdict] })),
    },
  })
}

const byArea = (chosen: readonly Requirement[]) =>
  AREAS.map(area => ({
    ...{ id: area, text: AREA_TITLES[area] },
    requirements: chosen.filter(requirement => requirement.area === area),
  })).filter(({ requirements }) => requirements.length > 0)

/** Which run judges a profile. */
function judged(profile: Profile): string {
  if (DEFAULT_PROFILES.includes(profile)) return 'by every run that names no profile'
  return profile in CAPABILITY_PROFILES ? 'if the gateway has the capability' : 'if a run names it'
}

/** The requirements of each source, as the catalogue names it; sources of one document stand together. */
const sourcesOf = (requirements: readonly Requirement[]) =>
  [
    ...Map.groupBy(
      requirements.flatMap(({ id, source }) => source.map(name => ({ id, name }))),
      ({ name }) => name,
    ),
  ]
    .map(([name, entries]) => ({ name, ids: entries.map(({ id }) => id) }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
