import { SERVICE } from '../mailflow/domains.ts'
import { covers, decisive, levelFor, type MailFlow } from '../mailflow/mail-flow.ts'
import type { Lack } from './observation.ts'

/**
 * The requirement that a gateway breaks by what it does not do although everything is in order. Most requirements build
 * on it and are not about it, so they do not tell anything of such a gateway. Nothing for mail to a second server: what
 * becomes of it is what the requirements about second servers are about.
 */
export function requirementOf({ what, domain, version }: Lack, flow: MailFlow): string | undefined {
  if (covers(`*.${SERVICE}`, domain.toLowerCase())) return undefined
  if (version === 'TLSv1.2' && what !== 'takes mail over TLS') return 'EXO-VER-02'
  const level = levelFor(flow.outbound, domain)
  const connector = decisive(flow.inbound, domain)
  switch (what) {
    case 'sends over TLS':
      return level === 'opportunistic' ? 'EXO-OPP-01' : 'EXO-FRC-01'
    case 'sends':
      return {
        opportunistic: 'EXO-OPP-01',
        'encryption-only': 'EXO-FRC-06',
        'certificate-validation': 'EXO-FRC-07',
        'domain-validation': 'EXO-FRC-10',
      }[level]
    case 'starts TLS':
      return 'RFC3207-01'
    case 'goes on inside TLS':
      return 'RFC3207-09'
    case 'takes mail over TLS':
      if (connector?.tls !== 'required') return 'EXO-FRC-15'
      return connector.clientCertificate === undefined ? 'EXO-FRC-11' : 'EXO-FRC-12'
    case 'takes mail unencrypted':
      return 'EXO-OPP-07'
    case 'keeps mail':
      return 'EXO-MSG-04'
  }
}

/** Requirements that are broken wherever another one is, because nobody gets that far. */
const EXPLAINED_BY: Record<string, readonly string[]> = {
  'EXO-VER-02': ['EXO-OPP-01', 'RFC3207-01'],
  'EXO-FRC-06': ['EXO-OPP-01'],
  'EXO-FRC-07': ['EXO-OPP-01', 'EXO-FRC-06'],
  'EXO-FRC-10': ['EXO-OPP-01', 'EXO-FRC-06', 'EXO-FRC-07'],
  'EXO-FRC-11': ['EXO-FRC-15'],
  'EXO-FRC-12': ['EXO-FRC-15', 'EXO-FRC-11'],
}

/** Of requirements that are broken, those that no other one of them explains. */
export const unexplained = (broken: readonly string[]): string[] =>
  broken.filter(id => !EXPLAINED_BY[id]?.some(other => broken.includes(other)))
