import { X509Certificate } from 'node:crypto'
import type { Session } from '../evidence/session.ts'
import type { MailFlow, Service } from '../mailflow/mail-flow.ts'
import { certificatesIn } from '../pki/chain.ts'
import { PUBLISHED } from '../pki/expected-certificate.ts'
import { Pki, type ServiceLeaf } from '../pki/pki.ts'
import { CERTIFICATE, conversation, session, table } from '../test-bed/fixtures/evidence.ts'
import {
  differsIn,
  hasAttribute,
  isAsIn,
  isForAllCustomers,
  isNotAsIn,
  showsNameAsClient,
} from './service-certificate.ts'

const pki = new Pki()
const rootOf = (name: '2018' | 'former') =>
  new X509Certificate(pki.lookAlikeRoot(name)).fingerprint256.replaceAll(':', '')
const service: Service = {
  text: 'exchange-online-2021',
  published: { ...PUBLISHED['exchange-online-2018'], roots: [rootOf('2018')] },
  former: { ...PUBLISHED['exchange-online-former'], roots: [rootOf('former')] },
}
const about: Pick<MailFlow, 'service' | 'sendersTrust'> = {
  service,
  sendersTrust: [pki.lookAlikeRoot('2018'), pki.lookAlikeRoot('former')],
}

async function showing(name: '2018' | 'former', other: ServiceLeaf = {}): Promise<Session> {
  const { certificate } = await pki.issueLikeService(name, other)
  return session([], {
    secured: true,
    certificates: certificatesIn(Buffer.from(certificate)).map(one => one.toString()),
  })
}

const published = await showing('2018')
const former = await showing('former')
const namesake = await showing('2018', { namesake: true })
const otherUnit = await showing('2018', { unit: 'Mail' })
const otherOrganisation = await showing('2018', { organisation: 'Contoso\u001b[31m' })
const otherKey = await showing('2018', { key: 'RSA 3072', unit: 'Mail' })

describe("judging one attribute of the service's certificate", () => {
  table([
    [
      'the published root',
      hasAttribute('root')(published, about),
      'kept',
      /the root [0-9A-F]{64}, as the published one/,
    ],
    [
      'a root with the same name',
      hasAttribute('root')(namesake, about),
      'broken',
      /^the gateway's certificate has no root that its clients know, and not [0-9A-F]{64}$/,
    ],
    [
      'no unit, as published',
      hasAttribute('unit')(published, about),
      'kept',
      /has no unit, as the published one/,
    ],
    [
      'a unit where none was published',
      hasAttribute('unit')(otherUnit, about),
      'broken',
      /^the gateway's certificate has the unit Mail, and not none$/,
    ],
    ['a unit, as before', hasAttribute('unit', 'former')(former, about), 'kept'],
    [
      'another organisation, with control bytes',
      hasAttribute('organisation')(otherOrganisation, about),
      'broken',
      /has the organisation Contoso\\x1b\[31m, and not Microsoft Corporation$/,
    ],
    ['no certificate', hasAttribute('root')(session([]), about), 'unclear', /no certificate was seen/],
    ['no service', hasAttribute('root')(published, { sendersTrust: [] }), 'unclear'],
  ])
})

describe("judging all attributes of the service's certificate", () => {
  table([
    ['the published ones', isAsIn('published')(published, about), 'kept'],
    [
      'those before',
      isAsIn('published')(former, about),
      'broken',
      /is not the published one: it has the root/,
    ],
    ['those before, for what they are', isAsIn('former')(former, about), 'kept'],
    [
      'those before, as not published',
      isNotAsIn('published')(former, about),
      'kept',
      /the unit Microsoft Corporation/,
    ],
    ['the published ones, as not published', isNotAsIn('published')(published, about), 'broken'],
    ['another unit', differsIn('unit')(otherUnit, about), 'kept', /it has the unit Mail, and not none/],
    ['another root', differsIn('root')(namesake, about), 'kept'],
    ['no difference', differsIn('unit')(published, about), 'broken', /nothing tells/],
    ['another key and unit', differsIn('key')(otherKey, about), 'broken', /not differ in its key alone/],
    ['no certificate', differsIn('key')(session([]), about), 'unclear'],
  ])
})

describe('judging whether a certificate is for the mail exchangers of all customers', () => {
  const named = (...names: string[]) =>
    isForAllCustomers(
      session([], {
        conversation: conversation([], { handshake: { serverCertificate: { ...CERTIFICATE, names } } }),
      }),
      about,
    )
  table([
    [
      'a wildcard for one label',
      named('mail.protection.outlook.com', '*.mail.protection.outlook.com'),
      'kept',
    ],
    ['the name alone', named('mail.protection.outlook.com'), 'broken', /is not for contoso-com\.mail/],
    ['no certificate', isForAllCustomers(session([]), about), 'unclear'],
  ])
})

describe('judging the certificate that the service shows as a client', () => {
  const wire = (...names: string[]) => [
    conversation([], {
      handshake: {
        version: 'TLSv1.2',
        ...(names.length > 0 ? { clientCertificate: { ...CERTIFICATE, names } } : {}),
      },
    }),
  ]
  table([
    ['its name', showsNameAsClient(wire('mail.protection.outlook.com'), service), 'kept'],
    [
      'another name',
      showsNameAsClient(wire('mx.other.test'), service),
      'broken',
      /for mx\.other\.test, and not for/,
    ],
    ['no certificate', showsNameAsClient(wire(), service), 'broken', /showed no certificate/],
    ['no TLS', showsNameAsClient([conversation([])], service), 'unclear'],
    ['no service', showsNameAsClient(wire('a.test'), undefined), 'unclear'],
  ])
})
