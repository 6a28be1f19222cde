import type { Profile } from '../catalogue/catalogue.ts'
import type { Grade } from '../catalogue/tls-profiles.ts'
import type { TlsOffer } from '../evidence/offer.ts'
import { graded, nameOf } from './grades.ts'

/** What a gateway accepts of clients, and what each profile with tables says of it. JSON only. */
export interface Accepted {
  /** `host:port` */
  address: string
  rows: readonly AcceptedRow[]
}

export interface AcceptedRow {
  /** `TLS 1.2`, `AES128-SHA with TLS 1.2`, `X25519`, … */
  what: string
  /** A profile that says nothing of it has no entry. */
  grades: Readonly<Partial<Record<Profile, Grade>>>
}

export const acceptedIn = (offer: TlsOffer): Accepted => ({
  address: offer.address,
  rows: graded(offer)
    .filter(({ grades }) => Object.keys(grades).length > 0)
    .map(row => ({ what: nameOf(row), grades: row.grades })),
})

/** Two profiles say different things of it. */
export const isDisputed = ({ grades }: AcceptedRow): boolean => new Set(Object.values(grades)).size > 1
