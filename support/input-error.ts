/**
 * The user gave a file, an option or a name that the suite cannot use. The message says where and why. The command line
 * prints only this message and ends with exit status 2. A fault of the suite itself is never an InputError.
 */
export class InputError extends Error {
  override readonly name = 'InputError'
}
