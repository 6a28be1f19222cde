import type { Defect } from './decisions/defect.ts'

/**
 * What sound gateways do that a plain client does not expect. No text forbids any of it, so nothing may be held against a
 * gateway with such a habit. Overrides of decisions, as defects are.
 */
export const HABITS: Readonly<Record<string, Defect>> = {
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
