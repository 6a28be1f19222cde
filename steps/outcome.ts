/** The gateway cannot be asked this: it does not claim the capability, or it has no connector for it. */
export class Inapplicable extends Error {
  override name = 'Inapplicable'
}

/** Ends an example as failed once its verdict is known; the message is the detail of the verdict. */
export class NonConformant extends Error {
  override name = 'NonConformant'
}

/** A dry run has no gateway: a step ends where it would need one. */
export class DryRun extends Error {
  override name = 'DryRun'
}

/** The time of the run was over while the example waited for the address of its first partner. */
export class NotBegun extends Error {
  override name = 'NotBegun'
}

/** Why an example is inapplicable that has to look into a mailbox. */
export const NO_MAILBOX =
  'the gateway file names no mailbox in which the message could be seen; the key inbound.mailbox would make it applicable'
