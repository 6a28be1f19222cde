import type { Sent } from '../evidence/sent.ts'
import type { SeenRequest } from '../evidence/web.ts'
import { held, table, sent as wholly } from '../test-bed/fixtures/evidence.ts'
import { doesAsCheckSays } from './checks.ts'
import { asksForStatus, asksNobody, asksSeldom, namesCause, ofStatus, warnsOfStatus } from './revocation.ts'

const at = (host: string): SeenRequest => ({ at: 0, method: 'GET', host: `${host}.d1.test`, path: '/x' })
const sent = ({ shown = true, arrived = false }) =>
  ({
    arrivals: arrived ? [{}] : [],
    conversations: [{ handshake: shown ? { serverCertificate: {} } : {} }],
  }) as unknown as Sent

describe('judging whether a gateway asks for the status of a certificate', () => {
  table([
    ['a list was fetched', asksForStatus([at('crl')], sent({ arrived: true })), 'kept', /crl\.d1\.test/],
    ['a responder was asked', asksForStatus([at('ocsp')], sent({})), 'kept', /ocsp\.d1\.test/],
    ['only the issuer was fetched', asksForStatus([at('certificates')], sent({})), 'broken', /asked nobody/],
    ['nobody was asked', asksForStatus([], sent({ arrived: true })), 'broken', /sent the message/],
    ['nothing was sent either', asksForStatus([], sent({})), 'broken', /revoked$/],
    ['no certificate was shown', asksForStatus([], sent({ shown: false })), 'unclear'],
  ])
})

describe('judging whether a gateway asks nobody for the status of a certificate', () => {
  table([
    ['nobody was asked', asksNobody([]), 'kept'],
    ['the issuer was fetched', asksNobody([at('certificates')]), 'kept'],
    ['a responder was asked', asksNobody([at('ocsp')]), 'broken', /asked ocsp\.d1\.test/],
  ])
})

describe('judging whether a gateway warns that the status of a certificate is not known', () => {
  table([
    ['a warning', warnsOfStatus(['sent', 'warning: its status is not known']), 'kept', /log warns/],
    ['a warning of something else', warnsOfStatus(['warning: slow']), 'broken'],
    ['no warning', warnsOfStatus(['status=sent']), 'broken', /does not say/],
  ])
})

describe('judging a gateway by the check of a status', () => {
  const said = (status: 'good' | 'undetermined', outcome: string) => ({
    status,
    sources: [
      { kind: 'list', outcome },
      { kind: 'issuer', outcome: 'had' },
    ],
  })
  const waits = (reason: string) =>
    held({ deliveryEvents: [{ kind: 'deferred', recipient: 'inbox@partner.test', reason }] })
  table([
    ['good, and it arrived', doesAsCheckSays(ofStatus(said('good', 'good')), wholly()), 'kept'],
    [
      'good, and it is held',
      doesAsCheckSays(ofStatus(said('good', 'good')), held()),
      'broken',
      /list: good, and/,
    ],
    [
      'not known, and it is held',
      doesAsCheckSays(ofStatus(said('undetermined', 'expired')), held()),
      'refused',
    ],
    [
      'not known, and it arrived',
      doesAsCheckSays(ofStatus(said('undetermined', 'wrong content')), wholly()),
      'broken',
      /undetermined, list: wrong content, and the gateway sent the message/,
    ],
    [
      'the same cause',
      namesCause(
        'expired',
        said('undetermined', 'expired'),
        waits('mx.d1.test (127.0.0.1): the list has expired'),
      ),
      'kept',
    ],
    [
      'no cause',
      namesCause('expired', said('undetermined', 'expired'), waits('mx.old.test (127.0.0.1): not accepted')),
      'broken',
      /does not name the cause \(expired\): not accepted/,
    ],
    [
      'another cause in the check',
      namesCause('refused', said('undetermined', 'expired'), waits('mx (1): refused')),
      'unclear',
    ],
    ['few requests', asksSeldom([at('crl')]), 'kept'],
    ['a circle', asksSeldom(Array.from({ length: 20 }, () => at('crl'))), 'broken', /20 requests/],
  ])
})
