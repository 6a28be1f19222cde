import type { EventDetail } from './conversation.ts'
import { commandFields, replyFields } from './smtp/line-fields.ts'
import { alertName, spoken } from './tls/tls-names.ts'

/** Kinds of events that come with a text of their own. */
export type PlainKind = 'open' | 'command' | 'reply' | 'content' | 'bytes' | 'close' | 'error'

/** The fields of such an event. `text` of a command or a reply is the line itself, printable and without its end. */
export function detailOf(kind: PlainKind, text: string): EventDetail {
  if (kind === 'command') return { kind, ...commandFields(text) }
  return kind === 'reply' ? { kind, ...replyFields(text) } : { kind }
}

/** The text of an event of a handshake, or of an alert. Other events bring their own text, and get an empty one here. */
export function detailText(detail: EventDetail): string {
  switch (detail.kind) {
    case 'hello': {
      const { versions, suites, serverName } = detail.hello
      const name = serverName ? `, SNI ${serverName}` : ', no SNI'
      return `ClientHello: ${versions.map(spoken).join(', ')}; ${suites.length} suites${name}`
    }
    case 'server-hello': {
      const { version, suite, group, retry } = detail
      if (retry) return `HelloRetryRequest: ${group ?? 'another group'}`
      return `ServerHello: ${spoken(version)}, ${suite}${group ? `, ${group}` : ''}`
    }
    case 'certificate-request':
      return 'CertificateRequest'
    case 'key-exchange':
      return 'ClientKeyExchange'
    case 'established':
      return `${spoken(detail.version)} established, ${detail.suite}`
    case 'alert':
      return `${detail.level === 2 ? 'fatal' : 'warning'} alert: ${alertName(detail.description)}`
    default:
      return ''
  }
}
