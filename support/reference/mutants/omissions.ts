import type { ReceiverSituation } from '../decisions/receiver.ts'
import type { Omission } from './mutant.ts'

/** Whether the gateway would agree to what a ClientHello offers. */
function isServed({ hello, flow }: ReceiverSituation): boolean {
  const suites = hello?.suites.filter(suite => !flow.forwardSecrecy || !suite.startsWith('TLS_RSA_')) ?? []
  return suites.length > 0 && hello!.versions.some(version => version >= 'TLSv1.2')
}

/** Requirements whose refusals are as good as any. */
const OUTBOUND = ['EXO-FRC-01', 'DGR-01', 'EXO-FRC-02']
const INBOUND = ['EXO-FRC-11', 'EXO-FRC-13', 'RFC3207-05', 'EXO-CON-01']

export const OMISSIONS: readonly Omission[] = [
  {
    name: 'refuses everybody',
    requirements: [...INBOUND, ...OUTBOUND],
    receiver: { greeting: ({ flow }) => `554 5.3.2 ${flow.hostname} takes no mail` },
  },
  {
    name: 'takes mail, sends nothing and says nothing',
    requirements: ['EXO-FRC-01'],
    queue: { sends: () => 'never' },
  },
  {
    name: 'answers 250 to everything',
    requirements: [...INBOUND, 'RFC3207-02', 'RFC3207-09'],
    receiver: { replyInstead: ({ role }, correct) => (role === 'inbound' ? '250 2.0.0 Yes' : correct) },
  },
  {
    name: 'says deferred while it delivers in clear',
    requirements: OUTBOUND,
    sender: { mayGoInClear: () => true },
    queue: {
      result: (_, correct) =>
        correct.kind === 'delivered' && correct.level !== 'opportunistic'
          ? { ...correct, kind: 'deferred', reason: 'STARTTLS is not offered' }
          : correct,
    },
  },
  {
    name: 'delivers in clear a little after it has said deferred',
    requirements: ['EXO-FRC-01', 'DGR-01'],
    sender: { sendsAgainInClear: ({ delivered, level }) => !delivered && level !== 'opportunistic' },
  },
  {
    name: 'greylists clients that send in clear',
    requirements: ['EXO-FRC-11'],
    refusals: /because TLS is missing/,
    receiver: {
      refusalOfSender: ({ tls, attempt }, correct) =>
        !correct || tls
          ? correct
          : attempt === 1
            ? '450 4.2.0 Never heard of you, come back later'
            : undefined,
    },
  },
  {
    name: 'never answers a handshake that it ought to refuse',
    requirements: ['EXO-S2S-02', 'EXO-S2S-04'],
    receiver: { answersHello: (at, correct) => (isServed(at) ? correct : 'not at all') },
    refusals: /the gateway refuses the TLS handshake/,
  },
  {
    name: 'accepts no client certificate at all',
    requirements: ['RFC3207-11', 'EXO-FRC-12', 'EXO-FRC-13', 'EXO-FRC-14'],
    receiver: { trustsChain: () => false },
    refusals: /the gateway refuses the message/,
  },
  {
    name: 'refuses everybody after its first message',
    requirements: ['EXO-FRC-13', 'EXO-FRC-14'],
    receiver: {
      replyInstead: ({ role, verb, messages }, correct) =>
        role === 'inbound' && verb === 'MAIL' && messages > 0 ? '452 4.3.1 Enough for today' : correct,
    },
  },
  {
    name: 'sends one message and then leaves before STARTTLS',
    requirements: ['EXO-FRC-10'],
    sender: { commandsBeforeStarttls: ({ messages }) => (messages > 0 ? ['QUIT'] : []) },
  },
]
