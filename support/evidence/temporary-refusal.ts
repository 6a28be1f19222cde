import type { Reply } from '../wire/smtp/reply.ts'
import type { Session } from './session.ts'

/** `STARTTLS`, any other command, `greeting`, or `content` for the end of a message. */
type At = string

/** The reply says that it is about TLS: by the code 530, RFC 3207 s4, or by its words. */
export const namesTls = ({ code, text }: Reply): boolean =>
  code === 530 || /TLS|SSL|encrypt|certificate/i.test(text)

/**
 * The gateway refuses for now, and may accept the same later: a limit of connections or messages, greylisting, load. RFC
 * 5321 s4.2.1. Where the reply is about TLS, another time changes nothing, except for STARTTLS without TLS: RFC 3207 s4 has
 * 454 for now. Inside TLS it can never be accepted.
 */
export const isForNow = (reply: Reply, at: At): boolean => {
  const mayChange = at === 'STARTTLS' ? !reply.secured : !namesTls(reply)
  return reply.code === 421 || (reply.code >= 400 && reply.code < 500 && mayChange)
}

/** The gateway wants domains that exist in DNS: the status of RFC 3463 s3.2, or the words of servers without it. */
export const isAboutSendersDomain = ({ code, enhanced = '', text }: Reply): boolean =>
  code >= 400 &&
  (/^[45]\.1\.8$/.test(enhanced) ||
    /domain (of sender .*)?(was )?(not found|does not (exist|resolve))|sender verif|(can.?not|could not|unable to) (resolve|verify) .*(domain|sender)/i.test(
      text,
    ))

/** Whether the gateway may accept the same if the client comes again soon. */
export const mayAcceptSoon = (reply: Reply, at: At): boolean =>
  isForNow(reply, at) && !isAboutSendersDomain(reply)

/** Why a refusal says nothing about the gateway; nothing where it may. */
export function putOff(reply: Reply, at: At): string | undefined {
  if (isAboutSendersDomain(reply))
    return `the gateway takes mail from domains in DNS alone, and the domains of the suite are made up: at ${at} came ${reply.text}`
  return isForNow(reply, at)
    ? `the gateway refused for now at ${at}, also when the client came again: ${reply.text}`
    : undefined
}

/** The first reply in a session that put the client off, and what it answered. What came after it may be because of it. */
export function firstPutOff({ greeting, exchanges }: Session): { reply: Reply; command: string } | undefined {
  const all = [...(greeting ? [{ command: 'greeting', reply: greeting }] : []), ...exchanges]
  return all.find(({ command, reply }) => putOff(reply, command) !== undefined)
}

/** Whether coming again may help: a refusal at the greeting is not among it, because the client has come again by then. */
export const isWorthAnotherTry = (session: Session): boolean => {
  const { greeting: _, ...greeted } = session
  const first = firstPutOff(greeted)
  return first !== undefined && mayAcceptSoon(first.reply, first.command)
}
