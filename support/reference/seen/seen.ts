import { CLIENT_CIRCUMSTANCES } from './client-circumstances.ts'

/** Whether the gateway can see that a circumstance holds. */
export const isSeen = (circumstance: string): boolean => circumstance in CLIENT_CIRCUMSTANCES

/** Dimensions that show only after the gateway has accepted a sender. */
const WITH_MESSAGE =
  /^(the recipients of the message|how the client transfers the message|writes of the message|the (text|size) of the (delivered|sent) message|headers of the (delivered|sent) message): /

export const isSeenWithMessage = (circumstance: string): boolean => WITH_MESSAGE.test(circumstance)
