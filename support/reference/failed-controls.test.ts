import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import { isBroken } from '../verdicts/verdict.ts'
import type { Defect } from './decisions/defect.ts'
import { reference } from './gateway.ts'

/** Gateways that do not do at all what most requirements build on, and all that is found, without the requirement's own Rule. */
const BROKEN: [what: string, defect: Defect, requirements: string[], finding: [id: string, seen: RegExp]][] =
  [
    [
      'resets every handshake',
      { receiver: { answersHello: ({ role }) => (role === 'inbound' ? 'with a reset' : 'with TLS') } },
      ['RFC3207-02', 'RFC3207-04', 'EXO-VER-03', 'TRC-01', 'EXO-FRC-11'],
      ['RFC3207-01', /handshake.* \(in \d+ controls\)$/],
    ],
    [
      'offers no STARTTLS',
      { receiver: { keywords: (_, correct) => correct.filter(keyword => keyword !== 'STARTTLS') } },
      ['RFC3207-02', 'RFC3207-04', 'RFC3207-10', 'EXO-FRC-11'],
      ['RFC3207-01', /STARTTLS.* \(in \d+ controls\)$/],
    ],
    [
      'never uses TLS as a sender',
      { sender: { usesTls: () => false } },
      ['EXO-OPP-04', 'EXO-OPP-05', 'EXO-OPP-06', 'EXO-VER-04', 'RFC3207-08'],
      ['EXO-OPP-01', /^the message arrived unencrypted \(in \d+ controls\)$/],
    ],
    [
      'takes mail and sends nothing',
      { queue: { sends: () => 'never' } },
      ['EXO-OPP-05', 'RFC3207-08'],
      ['EXO-OPP-01', /^the gateway accepted the message and made no connection to the partner within 20 s/],
    ],
    [
      'trusts no root',
      { sender: { trustsChain: () => false } },
      ['DGR-03', 'RFC3207-11', 'EXO-FRC-09'],
      ['EXO-FRC-07', /did not arrive: deferred/],
    ],
  ]

describe('what failed controls show is one finding for a gateway that', function () {
  this.timeout(120_000)
  const catalogue = loadCatalogue()
  for (const [what, defect, requirements, [id, seen]] of BROKEN)
    it(what, async () => {
      const run = await Run.start({ source: reference(defect), aftermath: 100 })
      try {
        await withRun(run, () =>
          judgeAll(run, select(loadFeatures(catalogue), catalogue, { requirements }), 6),
        )
        const all = [...run.verdicts, ...run.record.ofFailedControls()]
        const found = all.filter(isBroken)
        assert.deepEqual(
          found.map(({ requirement }) => requirement),
          [id],
          found.map(({ requirement, title, detail }) => `${requirement} ${title}: ${detail}`).join('\n'),
        )
        assert.match(found[0]!.detail, seen)
        assert.ok(run.verdicts.some(({ detail }) => detail.startsWith('the control failed: ')))
      } finally {
        await run.stop()
      }
    })
})
