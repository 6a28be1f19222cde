import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { Hierarchy, type HierarchyLeaf, type HierarchyName, SERVICE_NAME } from '../../pki/hierarchies.ts'
import type { Identity } from '../../pki/pki.ts'
import type { ReceiverDecisions, ReceiverSituation } from '../decisions/receiver.ts'
import type { Mutant } from './mutant.ts'

/** Authorities that nobody knows, with the names of the published ones; made when a mutant first needs one. */
const unknown = new Map<HierarchyName, Hierarchy>()

/** A certificate of the service for the gateway's key, under such an authority, with its root. */
function likeService({ key }: Identity, name: HierarchyName, leaf: HierarchyLeaf = {}): Identity {
  const hierarchy = unknown.get(name) ?? new Hierarchy(name)
  unknown.set(name, hierarchy)
  const names = [SERVICE_NAME, `*.${SERVICE_NAME}`]
  const publicKey = createPublicKey(createPrivateKey(key))
  const { certificate } = hierarchy.leaf({ names, publicKey, ...leaf })
  return { key, certificate: certificate + hierarchy.intermediate.certificate + hierarchy.root.certificate }
}

/** What the gateway shows in place of its certificate. */
const showing = (
  other: (identity: Identity, at: ReceiverSituation) => Identity | undefined,
): NonNullable<Mutant['receiver']> => ({
  tls: (at, correct: ReturnType<ReceiverDecisions['tls']>) => ({
    ...correct,
    identity: other(correct.identity, at) ?? correct.identity,
  }),
})

const isFormer = ({ certificate }: Identity): boolean =>
  new X509Certificate(certificate).issuer.includes('Microsoft IT TLS CA 4')
const hasLongKey = ({ key }: Identity): boolean =>
  createPrivateKey(key).asymmetricKeyDetails?.modulusLength === 3072

const OF_2021 = { as: 'exchange-online-2021' } as const
const OF_TODAY = { as: 'exchange-online-current' } as const

export const SERVICE: readonly Mutant[] = [
  {
    name: 'shows a certificate under a root that only bears the published name',
    requirement: 'EXO-CRT-01',
    ...OF_2021,
    receiver: showing(identity => likeService(identity, '2018')),
    symptom: "the gateway's certificate has the root ",
  },
  {
    name: 'shows a certificate under such a root to clients with TLS 1.3',
    requirement: 'EXO-CRT-01',
    ...OF_TODAY,
    receiver: showing((identity, { hello }) =>
      hello?.versions.includes('TLSv1.3') ? likeService(identity, 'later') : undefined,
    ),
    symptom: "the gateway's certificate has the root ",
  },
  {
    name: 'has the published name as its common name alone, beside other names',
    requirement: 'EXO-CRT-02',
    ...OF_2021,
    receiver: showing(identity =>
      likeService(identity, '2018', { commonName: SERVICE_NAME, names: ['mail.other.test'] }),
    ),
    symptom: "the gateway's certificate has the name mail.other.test",
  },
  {
    name: 'shows another certificate to clients that name no server',
    requirement: 'EXO-CRT-02',
    ...OF_2021,
    receiver: showing((identity, { hello }) =>
      hello?.serverName ? undefined : likeService(identity, '2018', { names: ['fallback.test'] }),
    ),
    symptom: "the gateway's certificate has the name fallback.test",
  },
  {
    name: 'shows another certificate as a client than as a server',
    requirement: 'EXO-CRT-02',
    ...OF_2021,
    sender: {
      tls: (_, correct) => ({
        ...correct,
        identity: likeService(correct.identity, '2018', { names: ['client.test'] }),
      }),
    },
    symptom: 'and not for mail.protection.outlook.com',
  },
  {
    name: 'shows no certificate as a client where no connector requires validation',
    requirement: 'EXO-CRT-02',
    ...OF_2021,
    sender: {
      tls: ({ validates }, correct) =>
        validates ? correct : { ...correct, identity: { ...correct.identity, certificate: '' } },
    },
    symptom: 'the gateway showed no certificate to a partner that asks for one',
  },
  {
    name: 'has the organisation of its issuer in its certificate',
    requirement: 'EXO-CRT-03',
    ...OF_2021,
    receiver: showing(identity => likeService(identity, '2018', { organisation: 'GlobalSign nv-sa' })),
    symptom: "the gateway's certificate has the organisation GlobalSign nv-sa",
  },
  {
    name: 'had another organisation before the change of the authority',
    requirement: 'EXO-CRT-03',
    ...OF_2021,
    receiver: showing(identity =>
      isFormer(identity) ? likeService(identity, 'former', { organisation: 'MSFT' }) : undefined,
    ),
    symptom: "the gateway's certificate has the organisation MSFT",
  },
  {
    name: 'has a unit where the text has none',
    requirement: 'EXO-CRT-04',
    ...OF_2021,
    receiver: showing(identity => likeService(identity, '2018', { unit: 'Evil' })),
    symptom: "the gateway's certificate has the unit Evil",
  },
  {
    name: 'had no unit before the change of the authority',
    requirement: 'EXO-CRT-04',
    ...OF_2021,
    receiver: showing(identity =>
      isFormer(identity) ? likeService(identity, 'former', { unit: null }) : undefined,
    ),
    symptom: "the gateway's certificate has no unit, and not Microsoft Corporation",
  },
  {
    name: 'still shows the former certificate after the change',
    requirement: 'EXO-CRT-06',
    ...OF_2021,
    receiver: showing(identity =>
      likeService(identity, 'former', { names: [SERVICE_NAME], unit: 'Microsoft Corporation' }),
    ),
    symptom: "the gateway's certificate is not the published one",
  },
  {
    name: 'shows the certificate of somebody else in place of the former one',
    requirement: 'EXO-CRT-06',
    ...OF_2021,
    receiver: showing(identity =>
      isFormer(identity) ? likeService(identity, 'later', { organisation: 'Contoso' }) : undefined,
    ),
    symptom: "the gateway's certificate is not the one before",
  },
  {
    name: 'shows a certificate with another key and for another name',
    requirement: 'EXO-CRT-08',
    ...OF_2021,
    receiver: showing(identity =>
      hasLongKey(identity) ? likeService(identity, '2018', { names: ['mail.other.test'] }) : undefined,
    ),
    symptom: 'the certificate does not differ in its key alone',
  },
  {
    name: 'shows the attributes of the service under an authority of its own',
    requirement: 'EXO-CRT-08',
    ...OF_2021,
    receiver: showing(identity => likeService(identity, '2018')),
    symptom: "the gateway's certificate is not the published one: it has the root ",
  },
  {
    name: 'shows the certificate of the table before the later one',
    requirement: 'EXO-CRT-09',
    ...OF_TODAY,
    receiver: showing(identity => likeService(identity, '2018')),
    symptom: "the gateway's certificate is not the published one: it has the root ",
  },
  {
    name: 'has no unit, as in the table before, under the later authority',
    requirement: 'EXO-CRT-09',
    ...OF_TODAY,
    receiver: showing(identity => likeService(identity, 'later')),
    symptom: /is not the published one: .*no unit, and not www/,
  },
  {
    name: 'has a certificate for the name of the service alone, and for no customer',
    requirement: 'EXO-CRT-10',
    ...OF_TODAY,
    receiver: showing(identity => likeService(identity, 'later', { names: [SERVICE_NAME] })),
    symptom: "the gateway's certificate is not for contoso-com.mail.protection.outlook.com",
  },
  {
    name: 'shows the certificate for all customers only to clients that name one',
    requirement: 'EXO-CRT-10',
    ...OF_TODAY,
    receiver: showing((identity, { hello }) =>
      hello?.serverName ? undefined : likeService(identity, 'later', { names: [SERVICE_NAME] }),
    ),
    symptom: "the gateway's certificate is not for contoso-com.mail.protection.outlook.com",
  },
]
