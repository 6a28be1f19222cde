import assert from 'node:assert/strict'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { requirementOf, unexplained } from './failed-controls.ts'
import type { Lack } from './observation.ts'

describe('what a gateway does not do at all breaks', () => {
  const flow = {
    outbound: [
      { to: '*.may.test', tls: 'opportunistic' },
      { to: '*.encrypted.test', tls: 'encryption-only' },
      { to: '*.trusted.test', tls: 'certificate-validation' },
      { to: '*.verified.test', tls: 'domain-validation' },
    ],
    inbound: [
      { from: '*.required.test', tls: 'required' },
      { from: '*.certified.test', tls: 'required', clientCertificate: 'mail.certified.test' },
    ],
  } as unknown as MailFlow
  const rows: [what: Lack['what'], domain: string, requirement: string | undefined, version?: string][] = [
    ['sends', 'a.may.test', 'EXO-OPP-01'],
    ['sends', 'nobody.test', 'EXO-OPP-01'],
    ['sends', 'a.encrypted.test', 'EXO-FRC-06'],
    ['sends', 'a.trusted.test', 'EXO-FRC-07'],
    ['sends', 'a.verified.test', 'EXO-FRC-10'],
    ['sends', 'a.may.test', 'EXO-VER-02', 'TLSv1.2'],
    ['sends', 'a.may.test', 'EXO-OPP-01', 'TLSv1.3'],
    ['sends', 'there1.service.test', undefined],
    ['sends over TLS', 'a.may.test', 'EXO-OPP-01'],
    ['sends over TLS', 'A.Trusted.test', 'EXO-FRC-01'],
    ['sends over TLS', 'a.may.test', 'EXO-VER-02', 'TLSv1.2'],
    ['starts TLS', '', 'RFC3207-01'],
    ['starts TLS', 'a.required.test', 'RFC3207-01'],
    ['starts TLS', '', 'EXO-VER-02', 'TLSv1.2'],
    ['goes on inside TLS', '', 'RFC3207-09'],
    ['takes mail over TLS', 'nobody.test', 'EXO-FRC-15'],
    ['takes mail over TLS', 'nobody.test', 'EXO-FRC-15', 'TLSv1.2'],
    ['takes mail over TLS', 'a.required.test', 'EXO-FRC-11'],
    ['takes mail over TLS', 'a.certified.test', 'EXO-FRC-12'],
    ['takes mail unencrypted', 'nobody.test', 'EXO-OPP-07'],
    ['keeps mail', 'nobody.test', 'EXO-MSG-04'],
  ]
  for (const [what, domain, requirement, version] of rows)
    it(`${requirement}: ${[what, domain, version].filter(Boolean).join(', ')}`, () => {
      assert.equal(requirementOf({ what, domain, ...(version ? { version } : {}) }, flow), requirement)
    })

  it('nothing more where something simpler is broken', () => {
    assert.deepEqual(unexplained(['EXO-FRC-07', 'EXO-OPP-01', 'EXO-VER-02', 'DGR-05']), [
      'EXO-OPP-01',
      'DGR-05',
    ])
    assert.deepEqual(unexplained(['EXO-FRC-10', 'EXO-FRC-07']), ['EXO-FRC-07'])
    assert.deepEqual(unexplained(['RFC3207-01', 'EXO-FRC-06']), ['RFC3207-01', 'EXO-FRC-06'])
  })
})
