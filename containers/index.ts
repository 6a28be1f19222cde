import type { ContainerProduct } from '../support/gateway/adapter.ts'
import { container } from '../support/gateway/container.ts'
import { embedded } from '../support/gateway/embedded.ts'
import type { LogReader } from '../support/gateway/product-log.ts'
import type { GatewaySource } from '../support/gateway/source.ts'
import { InputError } from '../support/input-error.ts'
import { nearest } from '../support/nearest.ts'
import { reference } from '../support/reference/gateway.ts'
import { chasquid } from './chasquid/adapter.ts'
import { courier } from './courier/adapter.ts'
import { exim } from './exim/adapter.ts'
import { haraka, harakaInContainer } from './haraka/adapter.ts'
import { ownLog } from './haraka/own-log.ts'
import { mox } from './mox/adapter.ts'
import { opensmtpd } from './opensmtpd/adapter.ts'
import { PAIRS } from './pairs.ts'
import { postfix } from './postfix/adapter.ts'
import { sendmail } from './sendmail/adapter.ts'

/** Every product that runs in containers alone. Each has a folder beside this file and a place in this list. */
const PRODUCTS: readonly ContainerProduct[] = [postfix, exim, opensmtpd, mox, courier, sendmail, chasquid]

/** Every gateway that comes with the suite. */
const BUNDLED: readonly GatewaySource[] = [
  embedded(haraka),
  container(harakaInContainer, 'trixie'),
  ...PRODUCTS.flatMap(everyRelease),
  reference(),
].map(source => withOtherKind(source, PAIRS[source.name.split('@')[0]!]))

/** What reads the log of each product, by its name. The Haraka of a user has no plugin of the suite. */
const READERS: Record<string, () => LogReader> = {
  haraka: () => ownLog(haraka),
  ...Object.fromEntries(PRODUCTS.map(product => [product.name, () => product])),
}

export const readerNames = (): string[] => Object.keys(READERS)

/** What reads the log of a product. The schema of the gateway file has the same names. */
export function readerOf(product: string): LogReader {
  const found = READERS[product]
  if (!found) throw new Error(`no product is called ${product}`)
  return found()
}

/** The embedded gateway, which needs no container engine. */
export const DEFAULT_GATEWAY = 'haraka'

export const bundledNames = (): string[] => BUNDLED.map(({ name }) => name)

/** A product under its bare name, and as `NAME@RELEASE` for each release. */
function everyRelease(product: ContainerProduct): GatewaySource[] {
  const releases = [undefined, ...product.releases.map(({ name }) => name)]
  return releases.map(release => container(product, release))
}

/** The source with the given second server of another kind, if there is one. */
function withOtherKind(source: GatewaySource, other: string | undefined): GatewaySource {
  if (other === undefined) return source
  return {
    ...source,
    secondServers: { ...source.secondServers, 'another kind': () => bundledGateway(other) },
  }
}

/** Throws InputError if no gateway has this name. */
export function bundledGateway(name: string): GatewaySource {
  const found = BUNDLED.find(source => source.name === name)
  if (found) return found
  const [product] = name.split('@')
  const releases = bundledNames().flatMap(one =>
    one.startsWith(`${product}@`) ? [one.slice(product!.length + 1)] : [],
  )
  if (name !== product && releases.length > 0)
    throw new InputError(
      `there is no gateway ${name}; ${product} has the release${releases.length > 1 ? 's' : ''} ${listed(releases)}`,
    )
  const near = nearest(name, bundledNames(), 1)
  const advice =
    near.length > 0
      ? `did you mean ${near[0]}?`
      : `name one of ${bundledNames().join(', ')}, or a gateway file such as ./gateway.yaml`
  throw new InputError(`there is no gateway ${name}; ${advice}`)
}

const listed = (words: readonly string[]) => words.join(', ').replace(/, ([^,]*)$/, ' and $1')
