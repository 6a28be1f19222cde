import { GO_AHEAD } from '../decisions/receiver.ts'
import type { TlsSession } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { first, isHandshakeFailure, LOGIN } from './shared.ts'

/** The suite that the gateway wants most, of either version; also in the clear. */
const isFirstSuite = (tls: TlsSession | undefined): boolean =>
  !tls || /^TLS_(ECDHE_RSA_WITH_)?AES_256_GCM_SHA384$/.test(tls.suite)

/** RFC 8446 s4.2.11: the client offers to resume a session. */
const PRE_SHARED_KEY = 41

export const PROTOCOL: readonly Mutant[] = [
  {
    name: 'offers AES128 before AES256',
    requirement: 'EXO-OPP-03',
    sender: { tls: (_, correct) => ({ ...correct, suites: first(/128/, correct.suites) }) },
    symptom: 'arrived over TLS with TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, not',
  },
  {
    name: 'goes on in clear as soon as its first suite is refused',
    requirement: 'EXO-OPP-03',
    sender: {
      checks: ({ tls }, correct) => (isFirstSuite(tls) ? correct : ['chain']),
      trustsChain: ({ tls }, correct) => isFirstSuite(tls) && correct,
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'answers 220 to STARTTLS with a parameter',
    requirement: 'RFC3207-02',
    receiver: { replyToStarttls: (_, correct) => (correct.startsWith('501') ? GO_AHEAD : correct) },
    symptom: 'the reply is 220',
  },
  {
    name: 'sends MAIL in clear when the handshake fails',
    requirement: 'RFC3207-06',
    sender: {
      bytesOutsideTls: ({ moment, sender }) => (moment === 'no handshake' ? `MAIL FROM:<${sender}>\r\n` : ''),
    },
    symptom: 'after the go-ahead to STARTTLS the gateway sent',
  },
  {
    name: 'says MAIL in clear where a handshake failed and the connection stayed open',
    requirement: 'RFC3207-06',
    sender: { goesOnInClear: ({ why }) => why === 'handshake failed' },
    symptom: 'after the go-ahead to STARTTLS the gateway sent',
  },
  {
    name: 'remembers inside TLS the sender that was named in clear',
    requirement: 'RFC3207-09',
    receiver: { forgets: ({ tls }) => !tls },
    symptom: 'the reply is 250',
  },
  {
    name: 'uses inside TLS what was offered in clear only',
    requirement: 'RFC3207-09',
    sender: {
      commandsInsideTls: ({ listedInClear }) =>
        listedInClear.some(line => line.startsWith('XCLIENT')) ? ['XCLIENT NAME=probe'] : [],
    },
    symptom: 'used what the partner offered before TLS only',
  },
  {
    name: 'does not greet again inside TLS',
    requirement: 'RFC3207-09',
    sender: { greetsAgain: () => false },
    symptom: 'the first command of the gateway inside TLS was MAIL, not EHLO',
    explains: ['EXO-OPP-01'],
    waits: true,
  },
  {
    name: 'begins a second handshake inside TLS',
    requirement: 'RFC3207-10',
    receiver: { replyToStarttls: ({ tls }, correct) => (tls ? GO_AHEAD : correct) },
    symptom: 'the reply is 220',
  },
  {
    name: 'offers STARTTLS again inside TLS',
    requirement: 'RFC3207-10',
    receiver: { keywords: ({ tls }, correct) => (tls ? [...correct, 'STARTTLS'] : correct) },
    symptom: 'offers STARTTLS again inside TLS',
  },
  {
    name: 'says STARTTLS again inside TLS',
    requirement: 'RFC3207-10',
    sender: { commandsInsideTls: ({ keywords }) => (keywords.includes('STARTTLS') ? ['STARTTLS'] : []) },
    symptom: 'sent STARTTLS again',
  },
  {
    name: 'has no setting that makes it check certificates',
    requirement: 'RFC3207-11',
    sender: { checks: () => [] },
    symptom: 'arrived over TLS',
  },
  {
    name: 'sends the message and then looks at the certificate',
    requirement: 'RFC3207-11',
    sender: { checksAfterMessage: () => true },
    symptom: 'arrived over TLS',
  },
  {
    name: 'has TLS 1.2 switched off as a receiver',
    requirement: 'EXO-VER-02',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.3', maxVersion: undefined }) },
    symptom: 'the session ended at handshake',
  },
  {
    name: 'has TLS 1.2 switched off as a sender',
    requirement: 'EXO-VER-02',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.3', maxVersion: undefined }) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'completes a handshake with TLS 1.1',
    requirement: 'EXO-VER-03',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: 'the handshake succeeded with TLS 1.1',
  },
  {
    name: 'completes a handshake with TLS 1.0',
    requirement: 'EXO-VER-03',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1' }) },
    symptom: 'the handshake succeeded with TLS 1.0',
  },
  {
    name: 'has neither TLS 1.0 nor TLS 1.1 any more where the service still has them',
    requirement: 'EXO-VER-01',
    as: 'exchange-online-2018',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.2' }) },
    symptom: 'the session ended at handshake',
  },
  {
    name: 'has no TLS 1.0 any more where the service still has it',
    requirement: 'EXO-VER-01',
    as: 'exchange-online-2018',
    receiver: {
      tls: ({ hello }, correct) =>
        hello?.versions.some(version => version > 'TLSv1') ? correct : { ...correct, minVersion: 'TLSv1.2' },
    },
    symptom: 'the session ended at handshake',
  },
  {
    name: 'takes a client that resumes a session for one that has shown its certificate',
    requirement: 'BCP-06',
    receiver: { refusalOfSender: ({ tls }, correct) => (tls?.resumed ? undefined : correct) },
    symptom: 'the gateway accepted the message',
  },
  {
    name: 'refuses a client whose ticket it does not know',
    requirement: 'BCP-06',
    receiver: {
      refusalOfSender: ({ hello, tls }, correct) =>
        tls && !tls.resumed && hello?.extensions.includes(PRE_SHARED_KEY)
          ? '550 5.7.0 The ticket is not valid'
          : correct,
    },
    symptom: 'the gateway refused the message at MAIL: 550',
  },
  {
    name: 'resumes a session in which it verified nobody, and verifies nobody then',
    requirement: 'BCP-06',
    sender: { resumes: () => true, checks: ({ tls }, correct) => (tls?.resumed ? [] : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes no TLS 1.1 any more before the service removes it',
    requirement: 'EXO-VER-09',
    as: 'exchange-online-2018',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.2' }) },
    symptom: 'the session ended at handshake',
  },
  {
    name: 'still takes TLS 1.1 after the service has removed it',
    requirement: 'EXO-VER-09',
    as: 'exchange-online-2021',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: 'the handshake succeeded with TLS 1.1',
  },
  {
    name: 'does not send over TLS 1.1 any more before the service removes it',
    requirement: 'EXO-VER-09',
    as: 'exchange-online-2018',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.2' }) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'still sends over TLS 1.1 after the service has removed it',
    requirement: 'EXO-VER-09',
    as: 'exchange-online-2021',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: 'the gateway used TLS 1.1',
  },
  {
    name: 'offers TLS 1.0 as a sender',
    requirement: 'EXO-VER-04',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1' }) },
    symptom: /the gateway used TLS 1\.|the gateway offered TLS 1\.[01]/,
  },
  {
    name: 'offers TLS 1.2 only although it has 1.3',
    requirement: 'EXO-OPP-02',
    sender: { tls: (_, correct) => ({ ...correct, maxVersion: 'TLSv1.2' }) },
    symptom: 'offers TLS 1.2 at most as a sender, and has TLS 1.3 as a receiver',
  },
  {
    name: 'tries again with a lower version after an alert',
    requirement: 'EXO-OPP-02',
    sender: {
      retriesHandshake: ({ why }) => isHandshakeFailure(why),
      tls: ({ reconnects }, correct) => (reconnects ? { ...correct, maxVersion: 'TLSv1.2' } : correct),
    },
    symptom: 'a later handshake of the gateway offered TLS 1.2 at most',
  },
  {
    name: 'offers CBC before GCM',
    requirement: 'EXO-OPP-03',
    sender: { tls: (_, correct) => ({ ...correct, suites: first(/^(?!.*GCM).*SHA\d*$/, correct.suites) }) },
    symptom: 'arrived over TLS with TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, not',
  },
  {
    name: 'offers key exchange by RSA first',
    requirement: 'EXO-OPP-03',
    sender: { tls: (_, correct) => ({ ...correct, suites: first(/^AES/, correct.suites) }) },
    symptom: 'arrived over TLS with TLS_RSA_WITH_AES_256_GCM_SHA384, not',
  },
  {
    name: 'closes after a wrong parameter',
    requirement: 'RFC3207-02',
    receiver: { endsSession: ({ reply }, correct) => correct || reply?.startsWith('501') === true },
    symptom: 'the session ended',
  },
  {
    name: 'logs in inside TLS where AUTH was offered in clear only',
    requirement: 'RFC3207-09',
    sender: {
      commandsInsideTls: ({ listedInClear }) =>
        listedInClear.some(line => line.startsWith('AUTH')) ? [LOGIN] : [],
    },
    symptom: 'used what the partner offered before TLS only: AUTH',
  },
  {
    name: 'offers older versions after a failed handshake',
    requirement: 'EXO-VER-04',
    sender: {
      retriesHandshake: ({ why }) => isHandshakeFailure(why),
      tls: ({ reconnects }, correct) => (reconnects ? { ...correct, minVersion: 'TLSv1' } : correct),
    },
    symptom: /the gateway used TLS 1\.|the gateway offered TLS 1\.[01]/,
  },
  {
    name: 'offers TLS 1.0 where a connector requires domain validation',
    requirement: 'EXO-VER-04',
    sender: {
      tls: ({ level }, correct) =>
        level === 'domain-validation' ? { ...correct, minVersion: 'TLSv1' } : correct,
    },
    symptom: /the gateway offered TLS 1\.[01]/,
  },
  {
    name: 'closes without QUIT where it does not accept the certificate',
    requirement: 'RFC3207-11',
    sender: { saysQuit: ({ why }) => why !== 'certificate not accepted' },
    symptom: 'the gateway ended the session without QUIT',
  },
]
