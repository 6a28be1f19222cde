import { X509Certificate } from 'node:crypto'
import { Given } from '@cucumber/cucumber'
import { isExternal } from '../support/gateway/external.ts'
import { doesAsCheckSays } from '../support/judgements/checks.ts'
import { forEachCopy } from '../support/judgements/outbound.ts'
import {
  asksForStatus,
  asksNobody,
  asksSeldom,
  type Cause,
  namesCause,
  ofStatus,
  warnsOfStatus,
} from '../support/judgements/revocation.ts'
import type { LabWeb, WayToHost } from '../support/lab/lab.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import {
  CERTIFICATE_TYPE,
  type HttpAnswer,
  LIST_TYPE,
  OCSP_TYPE,
  PROXY_PAGE,
} from '../support/lab/services/http-host.ts'
import type { StatusAddresses } from '../support/pki/certificate.ts'
import { ANSWERS, type AnswerName, LISTS, type ListName } from '../support/pki/status-words.ts'
import type { StatusReport } from '../support/traffic/revocation-check.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { Inapplicable } from './outcome.ts'
import { lookupOf } from './roots.ts'
import { words } from './vocabulary/parameters.ts'
import type { Subjects } from './vocabulary/subjects.ts'
import type { MailWorld } from './world.ts'

type Said = Partial<Subjects['authority']>

const named = <Name extends string>(
  names: Readonly<Record<Name, unknown>>,
  say: (name: Name) => [string, Said],
) => Object.fromEntries((Object.keys(names) as Name[]).map(say))

const SOURCES = ['list', 'responder', 'issuer'] as const

/** Why the hosts of an authority cannot be reached, in the words of the features. */
const WAYS: Record<string, Exclude<WayToHost, 'open'> | 'to a proxy'> = {
  'connections are refused': 'refused',
  'connections are dropped': 'dropped',
  'the names are not found': 'without a name',
  'a proxy answers with a page of its own': 'to a proxy',
}

/** A firewall that drops lets the gateway reach these alone. */
const only = (...open: readonly (typeof SOURCES)[number][]): Said => ({
  ways: Object.fromEntries(SOURCES.filter(one => !open.includes(one)).map(one => [one, 'refused'])),
})

/** What the authority of the partner's certificate does, in the words of the features. */
words<Said>('authority', {
  'tells the status of its certificate': { tells: true },
  'has revoked its certificate': { revoked: true },
  'has a responder and no list': { tells: true, without: 'list' },
  'has a list and no responder': { tells: true, without: 'responder' },
  'has no list and no answer for anybody': { tells: true, silent: true },
  'has nothing at its addresses': { silent: true },
  'has its list behind https': { https: 'independent' },
  'has its list behind https, with a certificate that is in this list': { https: 'circular' },
  'has its list behind https, with a certificate that nobody trusts': { https: 'untrusted' },
  ...Object.fromEntries(
    Object.entries(WAYS).flatMap(([why, way]) => {
      const ways = { list: way, responder: way, issuer: way }
      return [
        [`cannot be reached: ${why}`, { ways }],
        [`cannot be reached before the second attempt: ${why}`, { ways, opens: true }],
      ] as [string, Said][]
    }),
  ),
  'can be reached at none of its hosts only': only(),
  'can be reached at the list only': only('list'),
  'can be reached at the responder only': only('responder'),
  'can be reached at the issuer only': only('issuer'),
  'can be reached at the list and the responder only': only('list', 'responder'),
  'can be reached at the list and the issuer only': only('list', 'issuer'),
  'can be reached at the responder and the issuer only': only('responder', 'issuer'),
  ...named<AnswerName>(ANSWERS, answer => [`answers ${answer}`, { answer }]),
  ...named<ListName>(LISTS, list => [`has ${list}`, { list }]),
})

Given('the authority of the partner {authority}', function (this: MailWorld, does: Said) {
  const { named } = webOf(this)
  if (!named && Object.values(does.ways ?? {}).includes('without a name'))
    throw new Inapplicable(
      'the web hosts of the authority have no names; the key names of the gateway file would make it applicable',
    )
  this.intent.add('authority', does)
})

Given('the gateway asks authorities for the status of certificates', function (this: MailWorld) {
  this.needs('status-online')
  if (this.run.gateways.source.kind === 'external') this.status ??= 'asked'
})

/** Whether the gateway has asked it. */
export async function judgeAsked(world: MailWorld): Promise<Observation> {
  const { only } = world.happened
  return asksForStatus(await webOf(world).requests(only.partner.domain), only)
}

/** Whether the log of the gateway warns that the status of the partner's certificate is not known. */
export function judgeWarned({ happened: { only }, servers, run }: MailWorld): Observation {
  const { source } = run.gateways
  if (isExternal(source) && !source.file.commands?.log)
    throw new Inapplicable(
      'the suite cannot read the log of a gateway that it did not start; the key commands.log of the gateway file would make it applicable',
    )
  return warnsOfStatus(servers.gatewaySeen.log(only.partner.domain))
}

/** Whether the gateway has asked nobody. */
export async function judgeNotAsked(world: MailWorld): Promise<Observation> {
  return asksNobody(await webOf(world).requests(world.happened.only.partner.domain))
}

function webOf({ run }: MailWorld): LabWeb {
  if (!run.lab.web)
    throw new Inapplicable(
      'the gateway would not find the web hosts of an authority; the key names of the gateway file, or partners at an address of loopback, would make it applicable',
    )
  return run.lab.web
}

/** Three hosts, as an authority has them. The paths tell the partners of a run apart. */
export async function addressesAt(world: MailWorld, domain: string): Promise<Required<StatusAddresses>> {
  const { without, https } = world.intent.read('authority', 'without', 'https')
  const at = (host: string, file: string) => webOf(world).at(`${host}.${domain}`, `/${domain}/${file}`)
  const [crl, ocsp, issuer] = await Promise.all([
    https ? secureList(world, domain, https) : at('crl', 'list.crl'),
    at('ocsp', 'answers'),
    at('certificates', 'issuer.crt'),
  ])
  return {
    crl: without === 'list' ? [] : [crl],
    ocsp: without === 'responder' ? [] : [ocsp],
    issuer: [issuer],
  }
}

async function secureList(world: MailWorld, domain: string, https: Said['https']): Promise<string> {
  const web = webOf(world)
  if (!web.secureAt) throw new Inapplicable('the gateway would not find the web hosts of an authority')
  const host = `crl.${domain}`
  return web.secureAt(host, `/${domain}/list.crl`, url =>
    world.run.pki.issue({
      names: [host],
      usage: 'server',
      ...(https === 'untrusted' ? { authority: 'other' as const } : {}),
      ...(https === 'circular' ? { addresses: { crl: [url] } } : {}),
    }),
  )
}

/** What `mail-tls revocation` would say of the certificate that the partner shows, on the machine of the gateway. */
async function checked({ happened, servers }: MailWorld): Promise<StatusReport> {
  const { checkRevocation } = await import('../support/traffic/revocation-check.ts')
  const { flow } = servers.gatewaySeen
  const shown = [happened.watched.at(-1)!.partner.hosts[0]!.spec.tls.faulty.cert].flat()[0]!
  const certificates = (pems: readonly string[]) => pems.map(pem => new X509Certificate(pem))
  const lookup = lookupOf(flow)
  const chain = certificates(shown.split(/(?=-----BEGIN)/))
  const [own] = await checkRevocation(chain, certificates(flow.trust), { ...lookup, wait: CHECK_WAIT })
  return own!
}

/** Longest wait of the check for one answer, in ms. */
const CHECK_WAIT = 2_000

/** Whether the gateway sends the message just where the check finds the status. */
export async function judgeByStatusCheck(world: MailWorld): Promise<Observation> {
  const says = ofStatus(await checked(world))
  return forEachCopy(sent => doesAsCheckSays(says, sent))(world.happened.only)
}

/** Whether the gateway names this cause, which the check finds. */
export async function judgeCause(world: MailWorld, cause: Cause): Promise<Observation> {
  return namesCause(cause, await checked(world), world.happened.only)
}

/** Whether the gateway makes few requests. */
export async function judgeFewRequests(world: MailWorld): Promise<Observation> {
  return asksSeldom(await webOf(world).requests(world.happened.only.partner.domain))
}

/** From now on, the authority tells the status of the certificates that a partner shows. */
export async function tellStatus(
  world: MailWorld,
  partner: Partner,
  { crl, ocsp, issuer: issuers }: Required<StatusAddresses>,
): Promise<void> {
  // Loaded here, because few examples need it.
  const { namedAnswer, namedList } = await import('../support/pki/ocsp-responder-answers.ts')
  const { revoked, silent, answer, list } = world.intent.read(
    'authority',
    'revoked',
    'silent',
    'answer',
    'list',
  )
  const { pki } = world.run
  // To clients that name a server, the partner may show another one.
  const shown = partner.hosts.flatMap(({ spec: { tls } }) =>
    [tls.faulty, tls.good].flatMap(({ cert, byName }) => [cert, byName?.cert ?? []].flat(2)),
  )
  const serials = shown.map(pem => new X509Certificate(pem).serialNumber)
  const [issuer, other] = await Promise.all([pki.issuer(), pki.issuer('other')])
  const about = { issuer, serials, other }
  const lists = namedList(list ?? `a list with${revoked ? '' : 'out'} the certificate`, about)
  const answers = namedAnswer(answer ?? `that its certificate is ${revoked ? 'revoked' : 'good'}`, about)
  const none = silent ? { status: 404 } : {}
  const all: [urls: readonly string[], answer: HttpAnswer][] = [
    [crl, { type: LIST_TYPE, body: lists, ...none }],
    [ocsp, { type: OCSP_TYPE, body: answers, ...none }],
    [issuers, { type: CERTIFICATE_TYPE, body: new X509Certificate(issuer.certificate).raw }],
  ]
  const byUrl = new Map(all.flatMap(([urls, one]) => urls.map(url => [url, one] as const)))
  const open = async () => {
    await webOf(world).serve(byUrl)
    await Promise.all([...byUrl.keys()].map(url => webOf(world).way(url, 'open')))
  }
  await webOf(world).serve(byUrl)
  const { ways = {}, opens } = world.intent.read('authority', 'ways', 'opens')
  const urlsOf = { list: crl, responder: ocsp, issuer: issuers }
  for (const source of SOURCES) {
    const way = ways[source]
    for (const url of way ? urlsOf[source] : [])
      if (way === 'to a proxy') await webOf(world).serve(new Map([[url, PROXY_PAGE]]))
      else if (way) await webOf(world).way(url, way)
  }
  if (opens) world.happened.opens = open
}
