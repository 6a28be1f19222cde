import { X509Certificate } from 'node:crypto'
import { type ExpectedAttributes, PUBLISHED, type PublishedName } from '../pki/expected-certificate.ts'
import { type HierarchyName, SERVICE_NAME } from '../pki/hierarchies.ts'
import type { Pki, Role, ServiceLeaf } from '../pki/pki.ts'
import type { MailFlow, Service, ServiceText } from './mail-flow.ts'

/** A published set of attributes with the authority that bears the name of its root. */
interface Table {
  set: PublishedName
  hierarchy: HierarchyName
}
const FORMER: Table = { set: 'exchange-online-former', hierarchy: 'former' }
const OF_2018: Table = { set: 'exchange-online-2018', hierarchy: '2018' }
const LATER: Table = { set: 'exchange-online-later', hierarchy: 'later' }

/** The text of 2018 still has TLS 1.0 and 1.1 (EXO-VER-01); those of 2018 and 2021 know nothing newer than TLS 1.2. */
const TEXTS: Record<
  ServiceText,
  { now: Table; before: Table } & Pick<MailFlow, 'minVersion' | 'maxVersion'>
> = {
  'exchange-online-2018': { now: OF_2018, before: FORMER, minVersion: 'TLSv1', maxVersion: 'TLSv1.2' },
  'exchange-online-2021': { now: OF_2018, before: FORMER, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
  'exchange-online-current': { now: LATER, before: OF_2018, minVersion: 'TLSv1.2' },
}

/** Names of the certificate: one certificate serves all customers, whose mail exchangers are below it (EXO-CRT-10). */
const NAMES = [SERVICE_NAME, `*.${SERVICE_NAME}`]

/** The same mail flow for a gateway that stands in for the service. */
export async function asService(flow: MailFlow, text: ServiceText, pki: Pki): Promise<MailFlow> {
  const { now, before, ...versions } = TEXTS[text]
  const service: Service = {
    text,
    published: expectedIn(now, pki),
    former: expectedIn(before, pki),
  }
  return { ...flow, ...versions, hostname: SERVICE_NAME, service, ...(await shown(now, pki)) }
}

/** What partners and clients have that play the service of a text, beside its suites. */
export function roleOf(text: ServiceText): Omit<Role, 'suites'> {
  const { now, before: _, minVersion, maxVersion } = TEXTS[text]
  return {
    ...{ hierarchy: now.hierarchy, names: NAMES, minVersion },
    ...(maxVersion ? { maxVersion } : {}),
  }
}

/** With a root of the lab in place of the published one. */
function expectedIn({ set, hierarchy }: Table, pki: Pki): ExpectedAttributes {
  const { fingerprint256 } = new X509Certificate(pki.lookAlikeRoot(hierarchy))
  return { ...PUBLISHED[set], roots: [fingerprint256.replaceAll(':', '')] }
}

/** The certificate of a table, and the root that its clients have. `other`: what it has otherwise than the table. */
async function shown(
  { set, hierarchy }: Table,
  pki: Pki,
  other: ServiceLeaf = {},
): Promise<Pick<MailFlow, 'identity' | 'sendersTrust'>> {
  const { unit }: ExpectedAttributes = PUBLISHED[set]
  return {
    identity: await pki.issueLikeService(hierarchy, { names: NAMES, unit: unit ?? null, ...other }),
    sendersTrust: [pki.lookAlikeRoot(hierarchy)],
  }
}

/** A certificate of the service that differs from the published one in one attribute, by that attribute. EXO-CRT-08. */
export const VARIANTS = {
  root: { namesake: true },
  name: { names: ['mail.protection.outlook.test'] },
  organisation: { organisation: 'Microsoft Corporation Ltd' },
  unit: { unit: 'Mail' },
  key: { key: 'RSA 3072' },
} satisfies Record<string, ServiceLeaf>
export type Variant = keyof typeof VARIANTS

/** The gateway shows the certificate that the service had before, or one that differs. Throws where it is no service. */
export async function showing(
  flow: MailFlow,
  pki: Pki,
  { former = false, variant }: { former?: boolean; variant?: Variant },
): Promise<MailFlow> {
  if (!flow.service) throw new Error('the gateway stands in for no service')
  const { now, before } = TEXTS[flow.service.text]
  return { ...flow, ...(await shown(former ? before : now, pki, variant && VARIANTS[variant])) }
}
