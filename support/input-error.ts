/**
 * What the user gave cannot be used: a file, an option, a name. The message says where and why and is all that the
 * command line prints; the exit status is 2 (design contract, section 5). Never thrown for a fault of our own.
 */
export class InputError extends Error {
  override readonly name = 'InputError'
}
