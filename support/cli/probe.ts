import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DEFAULT_PROFILES, type Profile } from '../catalogue/catalogue.ts'
import { TLS_PROFILES } from '../catalogue/tls-profiles.ts'
import type { Service, TlsOffer } from '../evidence/offer.ts'
import { Differences } from '../evidence/offer-differences.ts'
import { InputError } from '../input-error.ts'
import { nearest } from '../nearest.ts'
import { sideBySide } from '../side-by-side.ts'
import { enumerate } from '../traffic/enumerate.ts'
import { advice, certificateAdvice } from '../verdicts/advice.ts'
import { broken, graded } from '../verdicts/grades.ts'
import { placesOf, placesOfDomains } from './probe-places.ts'
import { type Probed, probeText, serverText } from './probe-text.ts'
import { lookOf } from './terminal.ts'

export interface ProbeOptions {
  mx?: string[]
  profile?: string[]
  json?: boolean
  name?: string
  trust?: string
  service?: string
  helo?: string
}

/** Addresses at a time. */
const SIDE_BY_SIDE = 4

/** Probes servers and prints what they accept. Throws InputError. */
export async function probe(targets: readonly string[], options: ProbeOptions): Promise<0 | 1 | 2> {
  const profiles = profilesOf(options.profile)
  const trust = options.trust === undefined ? undefined : [rootsIn(options.trust)]
  const service = serviceOf(options.service)
  const places = [
    ...(await placesOf(targets, service, options.name)),
    ...(await placesOfDomains(options.mx ?? [], options.name)),
  ]
  if (places.length === 0)
    throw new InputError('there is nothing to probe: name a host, or a domain with --mx')
  const progress = progressOn(process.stderr, places.length)
  const look = lookOf(process.stdout)
  const differ = new Differences()
  const ends: End[] = []
  const texts: string[] = []
  const document = options.json ? new ServersInOrder(profiles) : undefined
  await sideBySide(places.entries(), SIDE_BY_SIDE, async ([i, place]) => {
    const { offer } = await enumerate(
      { host: place.address, port: place.port, service: place.service, helo: options.helo ?? ownName() },
      {
        ...(place.name === undefined ? {} : { serverName: place.name }),
        ...(trust ? { trust } : {}),
        onProgress: progress.connected,
      },
    )
    progress.done()
    // Of each server little more is kept than what is printed: there may be thousands.
    const rows = graded(offer)
    const one = { host: place.host, offer, rows, advice: advice(rows, profiles) }
    differ.add(offer)
    ends[i] = endOf(one, profiles)
    if (document) await document.add(i, serverJson(one))
    else texts[i] = serverText(one, { profiles, look })
  })
  progress.end()
  const differences = differ.among(ends.map(({ address }) => address))
  const status = statusOf(ends)
  if (document) document.end({ differences, exit: status })
  else process.stdout.write(probeText(texts, { differences, profiles, look }))
  return status
}

/** What decides the exit status. */
interface End extends Pick<TlsOffer, 'address' | 'unreachable' | 'brokenOff'> {
  /** A profile that was chosen forbids something. */
  isBroken: boolean
}

function endOf(
  { offer: { address, unreachable, brokenOff }, rows }: Probed,
  profiles: readonly Profile[],
): End {
  return {
    address,
    ...(unreachable === undefined ? {} : { unreachable }),
    ...(brokenOff === undefined ? {} : { brokenOff }),
    isBroken: profiles.some(profile => broken(rows, profile).length > 0),
  }
}

/** 1: a profile that was chosen forbids something; otherwise 2 where something stayed unknown. */
function statusOf(ends: readonly End[]): 0 | 1 | 2 {
  if (ends.some(({ isBroken }) => isBroken)) return 1
  const answered = ends.some(({ unreachable }) => unreachable === undefined)
  const unknown = ends.filter(({ unreachable, brokenOff }) => unreachable ?? brokenOff)
  return unknown.every(({ unreachable }) => answered && NO_WAY.test(unreachable ?? '')) ? 0 : 2
}

/** This machine has no way to addresses of this kind, as where it has no IPv6. */
const NO_WAY = /ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT/

/** Only a profile with grades can decide: under any other, every server would pass. */
function profilesOf(names: readonly string[] | undefined): readonly Profile[] {
  return names?.map(graderCalled) ?? DEFAULT_PROFILES
}

function graderCalled(name: string): Profile {
  const graders = TLS_PROFILES.map(({ profile }) => profile)
  const found = graders.find(profile => profile === name)
  if (found) return found
  const [near] = nearest(name, graders, 1)
  const advice = near === undefined ? `there are ${graders.join(', ')}` : `did you mean ${near}?`
  throw new InputError(`--profile ${name}: there is no such profile that grades TLS; ${advice}`)
}

function serviceOf(text: string | undefined): Service | undefined {
  if (text === undefined || ['smtp', 'lmtp', 'tls'].includes(text)) return text as Service | undefined
  throw new InputError(`--service ${text}: it must be smtp, lmtp or tls`)
}

function rootsIn(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new InputError(`--trust ${file}: ${(error as Error).message}`)
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new InputError(`--trust ${file}: there is no certificate in PEM in this file`)
  return text
}

/** The name of this machine as a greeting needs it: RFC 5321 s4.1.1.1. */
function ownName(): string {
  const name = hostname()
  return /^[a-z\d-]+(\.[a-z\d-]+)+$/i.test(name) ? name : 'probe.invalid'
}

/** A line on a terminal that says how far the probes are; nothing anywhere else. */
function progressOn(out: NodeJS.WriteStream, hosts: number) {
  let connections = 0
  let done = 0
  const show = (text: string) => {
    if (out.isTTY) out.write(`\r\x1b[K${text}`)
  }
  const line = () => show(`${done} of ${hosts} servers, ${connections} connections`)
  return {
    connected: () => {
      connections++
      line()
    },
    done: () => {
      done++
      line()
    },
    end: () => show(''),
  }
}

/** One server, as `probe.schema.json` says. */
function serverJson({ host, offer, rows, advice }: Probed): string {
  return indented({
    host,
    offer,
    certificateAdvice: certificateAdvice(offer, Date.now()),
    grades: rows.map(({ suite: _, ...row }) => row),
    advice: advice.map(({ text, wrongIn, weakIn, rows }) => ({
      text,
      wrongIn,
      weakIn,
      for: rows.map(({ what }) => what),
    })),
  })
}

/** As it stands in a list of the document. */
const indented = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll('\n', '\n    ')

/** Writes the document of `probe.schema.json`, each server as soon as those before it are written. */
class ServersInOrder {
  readonly #early = new Map<number, string>()
  #next = 0

  constructor(profiles: readonly Profile[]) {
    process.stdout.write(`{\n  "schema": 1,\n  "profiles": ${JSON.stringify(profiles)},\n  "servers": [`)
  }

  /** Waits where nobody reads what was written. */
  async add(place: number, server: string): Promise<void> {
    this.#early.set(place, server)
    let flows = true
    for (let text = this.#early.get(this.#next); text !== undefined; text = this.#early.get(this.#next)) {
      this.#early.delete(this.#next)
      flows = process.stdout.write(`${this.#next++ === 0 ? '' : ','}\n    ${text}`)
    }
    if (!flows) await once(process.stdout, 'drain')
  }

  end(more: Readonly<Record<string, unknown>>): void {
    const members = Object.entries(more).map(([key, value]) => `,\n  "${key}": ${JSON.stringify(value)}`)
    process.stdout.write(`\n  ]${members.join('')}\n}\n`)
  }
}
