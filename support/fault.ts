/** Something did not work, for a reason of a closed list; the message says it in words. */
export class Fault<Kind extends string> extends Error {
  readonly fault: Kind
  constructor(fault: Kind, message: string) {
    super(message)
    this.fault = fault
  }
}
