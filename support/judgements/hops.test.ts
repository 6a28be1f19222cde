import type { Sent } from '../evidence/sent.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import {
  arrival,
  CERTIFICATE,
  conversation,
  held,
  IN_CLEAR,
  inClear,
  MESSAGE,
  OVER_TLS,
  received,
  sent,
  table,
} from '../test-bed/fixtures/evidence.ts'
import type { Handshake } from '../wire/conversation.ts'
import { claimsNothingBehindPartner, hopsHaveOwnSessions, onlyFirstHopClaimsTls } from './hops.ts'

const flow = { hostname: 'mx.gateway.test', domain: 'gateway.test' } as MailFlow
const OWN = 'Received: from user by mx.gateway.test with ESMTPS (TLSv1.3)'
const LOCAL = 'Received: by mx.gateway.test with SMTP'
const OTHER = 'Received: from mx.gateway.test by other.test with ESMTPS'
const text = (...headers: string[]) => [...headers, MESSAGE.content].join('\r\n')
/** Came in over TLS and left in the clear with these headers in front. */
const left = (...headers: string[]): Sent =>
  sent({
    submission: conversation(OVER_TLS),
    arrivals: [arrival({ secured: false, content: text(...headers) })],
    conversations: [inClear()],
  })

describe('judging whether Received lines claim TLS for the first hop alone', () => {
  table([
    ['one line claims TLS, the one about the first hop', onlyFirstHopClaimsTls(left(OWN)), 'kept'],
    ['another line claims none', onlyFirstHopClaimsTls(left(LOCAL, OWN)), 'kept'],
    ['two lines claim TLS', onlyFirstHopClaimsTls(left(OWN, OWN)), 'broken', /2 Received lines claim TLS/],
    [
      'a line names TLS in other words',
      onlyFirstHopClaimsTls(left(`${LOCAL} (TLS inside)`, OWN)),
      'broken',
      /2 Received lines/,
    ],
    [
      'the line about the first hop is not true',
      onlyFirstHopClaimsTls(left(LOCAL)),
      'broken',
      /came over TLS, but/,
    ],
    ['there is no line', onlyFirstHopClaimsTls(left()), 'broken', /added no Received line/],
    [
      'the message left over TLS',
      onlyFirstHopClaimsTls({ ...left(OWN), arrivals: [arrival()] }),
      'broken',
      /over TLS, not unencrypted/,
    ],
    ['the message did not arrive', onlyFirstHopClaimsTls(held()), 'broken', /did not arrive/],
    [
      'the first hop was not seen',
      onlyFirstHopClaimsTls(sent({ arrivals: left(OWN).arrivals })),
      'unclear',
      /did not see both hops/,
    ],
    ["the second server's line claims TLS too", onlyFirstHopClaimsTls(left(OTHER, OWN), flow), 'kept'],
    [
      'two lines of its own claim TLS',
      onlyFirstHopClaimsTls(left(OTHER, OWN, OWN), flow),
      'broken',
      /2 Received lines/,
    ],
    [
      "there are the second server's lines alone",
      onlyFirstHopClaimsTls(left(OTHER), flow),
      'broken',
      /added no Received line/,
    ],
  ])
})

describe('judging whether two hops have sessions of their own', () => {
  const hop = (
    randoms: Handshake['randoms'] | undefined,
    fingerprint?: string,
    about: Partial<Handshake> = {},
  ) =>
    conversation(OVER_TLS, {
      handshake: {
        ...(randoms ? { randoms } : {}),
        ...(fingerprint ? { serverCertificate: { ...CERTIFICATE, fingerprint } } : {}),
        ...about,
      },
    })
  const first = hop({ sender: 's1', receiver: 'r1' }, 'f1')
  const both = (second: ReturnType<typeof hop>, submission = first) =>
    hopsHaveOwnSessions(sent({ submission, conversations: [second] }))
  const other = { sender: 's2', receiver: 'r2' }
  const unseen = conversation(
    OVER_TLS.filter(line => !line.includes('hello')),
    { handshake: { randoms: other } },
  )
  const onPath = (randoms: Handshake['randoms']) => ({ ...hop(randoms), overheard: true as const })
  table([
    ['randoms and certificate differ', both(hop(other, 'f2')), 'kept', /randoms and a certificate/],
    [
      'randoms differ, and the second certificate was not seen',
      both(hop(other)),
      'kept',
      /randoms of its own/,
    ],
    ['both show the same certificate', both(hop(other, 'f1')), 'broken', /same certificate/],
    [
      "the client's random is the same",
      both(hop({ ...other, sender: 's1' }, 'f2')),
      'broken',
      /random of the sender/,
    ],
    [
      "the server's random is the same",
      both(hop({ ...other, receiver: 'r1' }, 'f2')),
      'broken',
      /random of the receiver/,
    ],
    ['a random was not seen', both(hop({ sender: 's2' }, 'f2')), 'unclear', /did not see both hellos/],
    ['the second ClientHello was not seen', both(unseen), 'unclear', /no ClientHello/],
    [
      'the second hop had no TLS',
      hopsHaveOwnSessions(
        sent({
          submission: first,
          arrivals: [arrival({ secured: false })],
          conversations: [conversation(IN_CLEAR)],
        }),
      ),
      'broken',
      /second hop had no TLS/,
    ],
    ['the first hop had no TLS', both(hop(other), conversation(IN_CLEAR)), 'unclear', /first hop had no TLS/],
    ['the first hop was not seen', hopsHaveOwnSessions(sent()), 'unclear', /did not see both hops/],
    [
      'the message did not arrive',
      hopsHaveOwnSessions({ ...held(), submission: first }),
      'unclear',
      /did not see both hops/,
    ],
    [
      'one of several sessions past the tap shares a random',
      hopsHaveOwnSessions(
        sent({ submission: first, conversations: [onPath({ ...other, sender: 's1' }), onPath(other)] }),
      ),
      'broken',
      /random of the sender/,
    ],
    [
      'of one of several sessions past the tap no random was seen',
      hopsHaveOwnSessions(sent({ submission: first, conversations: [onPath({}), onPath(other)] })),
      'unclear',
    ],
  ])
})

describe('judging whether anything claims protection behind the partner', () => {
  const passedOn = { domain: 'behind.partner.test', message: received({ secured: false }), conversations: [] }
  const arrived = (...headers: string[]) => sent({ arrivals: [arrival({ content: text(...headers) })] })
  const claims = (one: Sent, about: Partial<Parameters<typeof claimsNothingBehindPartner>[1]> = {}) =>
    claimsNothingBehindPartner(one, { passedOn, flow, log: [], ...about })
  const behind = (...headers: string[]) => ({
    passedOn: { ...passedOn, message: received({ secured: false, content: text(...headers) }) },
  })
  const second = (onwardSecured: boolean | undefined, ...headers: string[]) =>
    claims(
      sent({
        arrivals: [
          arrival({ content: text(...headers), ...(onwardSecured === undefined ? {} : { onwardSecured }) }),
        ],
      }),
      { passedOn: undefined },
    )
  table([
    ['nothing does', claims(arrived(OWN), { log: ['sent'] }), 'kept'],
    ['a header does', claims(arrived('X-Protection: end-to-end')), 'broken', /header x-protection claims/],
    [
      'the log does',
      claims(arrived(), { log: ['sent', 'protected end to end'] }),
      'broken',
      /the log claims protection from end to end/,
    ],
    [
      'a Received line names the server behind',
      claims(arrived(), behind('Received: from x by mx.Behind.partner.test')),
      'broken',
      /knows? of the hop behind/,
    ],
    [
      'the partner passed it on over TLS',
      claims(arrived(), { passedOn: { ...passedOn, message: received() } }),
      'unclear',
      /over TLS/,
    ],
    [
      'the partner passed nothing on',
      claims(arrived(), { passedOn: { domain: 'x', conversations: [] } }),
      'unclear',
      /did not pass the message on/,
    ],
    ['the message did not arrive', claims(held()), 'unclear', /did not pass the message on/],
    ['nothing does, of a second server', second(false, OTHER, OWN), 'kept'],
    [
      'a header of the gateway does, past a second server',
      second(false, OTHER, OWN, 'X-Protection: end to end'),
      'broken',
      /x-protection/,
    ],
    ['a header of the second server does', second(false, 'X-Protection: end to end', OTHER, OWN), 'kept'],
    ['no line tells what is whose', second(false, OTHER), 'unclear', /no Received line separates/],
    ['the second server passed it on over TLS', second(true, OTHER, OWN), 'unclear', /over TLS/],
    ['how the second server passed it on is not known', second(undefined, OTHER, OWN), 'unclear', /over TLS/],
  ])
})
