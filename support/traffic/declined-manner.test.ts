import assert from 'node:assert/strict'
import type { Stage } from '../evidence/handover.ts'
import { replyFields } from '../wire/smtp/line-fields.ts'
import { ReplyReader } from '../wire/smtp/reply.ts'
import type { ClientManner } from './client-manner.ts'
import { declinedInHandshake, declinedPart } from './declined-manner.ts'

const BIG = 100 * 1024

describe('a manner that a gateway does not go along with', () => {
  const REFUSED: [ClientManner, Stage, string, string | undefined, number?][] = [
    [{}, 'MAIL', '501 5.5.4 what', undefined],
    [
      { greeting: 'EHLO with an address literal' },
      'EHLO',
      '501 5.5.2 a name',
      'EHLO with an address literal',
    ],
    [{ greeting: 'EHLO with an address literal' }, 'EHLO', '550 no', 'EHLO with an address literal'],
    [{ greeting: 'EHLO with an address literal' }, 'EHLO', '550 5.7.1 no', undefined],
    [{ greeting: 'EHLO with an address literal' }, 'MAIL', '501 5.5.2 a name', undefined],
    [{ greeting: 'EHLO twice' }, 'EHLO', '503 5.5.1 once', 'EHLO twice'],
    [{ greeting: 'EHLO twice' }, 'EHLO', '421 4.3.2 later', undefined],
    [{ parameters: 'SIZE' }, 'MAIL', '555 5.5.4 what', 'the parameter SIZE'],
    [{ parameters: 'SIZE' }, 'MAIL', '552 5.3.4 too large', 'the parameter SIZE'],
    [{ parameters: 'SIZE' }, 'MAIL', '550 5.7.1 not you', undefined],
    [{ parameters: 'SIZE' }, 'MAIL', '530 Must issue a STARTTLS command first', undefined],
    [{ parameters: 'SIZE' }, 'RCPT', '501 5.5.4 what', undefined],
    [{ sender: 'quoted local part' }, 'MAIL', '553 5.1.7 no', 'the sender: quoted local part'],
    [{ sender: 'source route' }, 'MAIL', '501 5.1.7 no', 'the sender: source route'],
    [{ sender: 'source route' }, 'MAIL', '550 5.7.1 the certificate is wrong', undefined],
    [{ sender: 'source route' }, 'MAIL', '550 encryption required', undefined],
    [{ sender: 'source route' }, 'MAIL', '450 4.1.7 later', undefined],
    [{ sender: 'source route' }, 'MAIL', '503 5.5.1 EHLO first', undefined],
    [{ parameters: 'SIZE' }, 'MAIL', '503 EHLO first', undefined],
    [{ sender: 'null' }, 'MAIL', '550 5.1.7 no bounces', undefined],
    [{ transfer: 'BDAT in one chunk' }, 'content', '502 5.5.1 what', 'BDAT in one chunk'],
    [{ transfer: 'BDAT in one chunk' }, 'content', '554 5.7.1 no', undefined],
    [{ commandEnd: 'a blank before the line end' }, 'DATA', '501 5.5.4 no', 'a blank before the line end'],
    [{ commandEnd: 'a blank before the line end' }, 'RCPT', '550 5.1.1 who', undefined],
    [{}, 'content', '552 5.3.4 too large', `a message of ${BIG} bytes`, BIG],
    [{}, 'content', '552 5.3.4 too large', undefined, 60 * 1024],
  ]
  for (const [manner, stage, line, part, size = 1000] of REFUSED)
    it(`${JSON.stringify(manner)}: ${part ? 'yes' : 'no'} by ${line} at ${stage}`, () => {
      const reply = new ReplyReader().read(replyFields(line), false)!
      assert.equal(declinedPart(manner, { stage, reply, size }), part)
    })

  const ALERTS: [ClientManner, string, string | undefined][] = [
    [{ tlsVersion: 'TLS 1.2 at most' }, 'tlsv1 alert protocol version', 'TLS 1.2 at most'],
    [{ session: 'resumed by id' }, 'tlsv1 alert protocol version', 'TLS 1.2'],
    [{ session: 'resumed by ticket' }, 'tlsv1 alert protocol version', undefined],
    [{ serverName: 'another name' }, 'tlsv1 unrecognized name', 'a server name: another name'],
    [{ serverName: 'none' }, 'tlsv13 alert missing extension', 'a server name: none'],
    [{ serverName: 'none' }, 'sslv3 alert handshake failure', undefined],
    [{}, 'tlsv1 unrecognized name', undefined],
  ]
  for (const [manner, reason, part] of ALERTS)
    it(`${JSON.stringify(manner)}: ${part ? 'yes' : 'no'} by ${reason}`, () =>
      assert.equal(declinedInHandshake(manner, reason), part))
})
