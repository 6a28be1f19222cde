import type { Omission } from './mutant.ts'

/** Requirements whose refusals are as good as any. */
const OUTBOUND = ['EXO-FRC-01', 'DGR-01', 'EXO-FRC-02']
const INBOUND = ['EXO-FRC-11', 'EXO-FRC-13', 'RFC3207-05', 'EXO-CON-01']

export const OMISSIONS: readonly Omission[] = [
  {
    name: 'refuses everybody',
    requirements: [...INBOUND, ...OUTBOUND],
    defects: { receiver: { refusesEverything: true } },
  },
  {
    name: 'takes mail, sends nothing and says nothing',
    requirements: ['EXO-FRC-01'],
    defects: { queue: { sleeps: true } },
  },
  {
    name: 'answers 250 to everything',
    requirements: [...INBOUND, 'RFC3207-02', 'RFC3207-09'],
    defects: { receiver: { answersAlways250: true } },
  },
  {
    name: 'says deferred while it delivers in clear',
    requirements: OUTBOUND,
    defects: { sender: { deliversAndSaysDeferred: true } },
  },
  {
    name: 'delivers in clear a little after it has said deferred',
    requirements: ['EXO-FRC-01', 'DGR-01'],
    defects: { sender: { deliversLater: true } },
  },
  {
    name: 'refuses in clear as it refuses every stranger at first',
    requirements: ['EXO-FRC-11'],
    defects: { receiver: { greylists: true } },
  },
  {
    name: 'never answers a handshake that it ought to refuse',
    requirements: ['EXO-S2S-02', 'EXO-S2S-04'],
    defects: { receiver: { ignoresBadHellos: true } },
    refusals: /the gateway refuses the TLS handshake/,
  },
  {
    name: 'refuses everybody after its first message',
    requirements: ['EXO-FRC-13', 'EXO-FRC-14'],
    defects: { receiver: { tires: true } },
  },
  {
    name: 'sends one message and then leaves before STARTTLS',
    requirements: ['EXO-FRC-10'],
    defects: { sender: { tires: true } },
  },
]
