import type { Defect } from './decisions/defect.ts'
import { despite } from './mutants/shared.ts'

/** Overrides of decisions, as defects are. */
export interface Habit extends Defect {
  /** Those that could be thought to be broken by it. Absent: all about what a gateway receives. */
  requirements?: readonly string[]
}

/**
 * What sound gateways do that a plain client or partner does not expect. No text forbids any of it, so nothing may be held
 * against a gateway with such a habit.
 */
export const HABITS: Readonly<Record<string, Habit>> = {
  'accepts a client whose certificate is for servers': {
    requirements: ['EXO-FRC-14', 'RFC3207-11'],
    receiver: { trustsChain: despite(/^INVALID_PURPOSE$/) },
  },
  'offers no suites but those that RFC 9325 recommends': {
    requirements: ['EXO-OPP-03', 'EXO-OPP-01'],
    sender: { tls: (_, correct) => ({ ...correct, suites: correct.suites.filter(isRecommended) }) },
  },
  'greylists each client domain': {
    receiver: {
      refusalOfSender: ({ role, attempt }, correct) =>
        role === 'inbound' && attempt === 1 ? '450 4.2.0 Greylisted, come again' : correct,
    },
  },
  'turns every second connection away': {
    receiver: {
      greeting: ({ connection }, correct) =>
        connection % 2 === 0 ? '421 4.7.0 Too many connections' : correct,
    },
  },
  'refuses STARTTLS on every second connection': {
    receiver: {
      replyToStarttls: ({ connection }, correct) =>
        connection % 2 === 0 && correct.startsWith('220') ? '454 4.7.0 Too many new TLS sessions' : correct,
    },
  },
  'takes no mail at all for now': {
    receiver: {
      refusalOfSender: ({ role }, correct) =>
        correct ?? (role === 'inbound' ? '451 4.7.1 The load is too high' : undefined),
    },
  },
  'takes no mail from domains that do not exist': {
    receiver: {
      refusalOfSender: ({ role, connector }, correct) =>
        correct ??
        (role === 'inbound' && connector === undefined
          ? '450 4.1.8 Sender address rejected: Domain not found'
          : undefined),
    },
  },
  'closes in answer to QUIT': {
    receiver: { replyInstead: ({ verb }, correct) => (verb === 'QUIT' ? '' : correct) },
  },
}

/** RFC 9325 s4.2. */
const isRecommended = (suite: string): boolean => /^(TLS_|ECDHE-).*(GCM|CHACHA20)/.test(suite)
