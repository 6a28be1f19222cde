import { readFileSync, statSync } from 'node:fs'
import { InputError } from '../input-error.ts'
import { hidePassword } from '../wire/secrets.ts'
import type { At } from '../yaml-file.ts'
import { existing } from './gateway-file-values.ts'

/** How messages are handed to a gateway: with STARTTLS, with TLS from the beginning of the connection, or without TLS. */
export type SubmitTls = 'starttls' | 'implicit' | 'none'

/** `outbound.login` as the JSON Schema of the gateway file describes it. */
export interface WrittenLogin {
  user: string
  passwordEnv?: string
  passwordFile?: string
}

/** Longest password, in bytes; RFC 4954 s4 has lines of 12288 bytes. */
const MAX_PASSWORD = 1_000

/**
 * The user who hands messages to the gateway, with the password, which nothing prints from now on. Throws InputError that
 * does not repeat it.
 */
export function readLogin(
  { user, passwordEnv, passwordFile }: WrittenLogin,
  {
    at,
    beside,
    submitTls,
  }: {
    at: At
    beside: (place: string) => string
    submitTls: SubmitTls | undefined
  },
): { name: string; password: string } {
  const key = (...last: string[]) => ['outbound', 'login', ...last]
  at(key(), () => {
    if (submitTls === 'none') throw new InputError('needs TLS, so submitTls must not be none')
    if ((passwordEnv === undefined) === (passwordFile === undefined))
      throw new InputError('must have either passwordEnv or passwordFile')
  })
  const name = at(key('user'), () => {
    if (/[\0\r\n]/.test(user)) throw new InputError('must be one line')
    return user
  })
  const password =
    passwordEnv === undefined
      ? at(key('passwordFile'), () => checkedPassword(firstLine(beside(passwordFile!)), passwordFile!))
      : at(key('passwordEnv'), () =>
          checkedPassword(process.env[passwordEnv], `the environment variable ${passwordEnv}`),
        )
  hidePassword(name, password)
  return { name, password }
}

function firstLine(place: string): string {
  if (statSync(existing('file', place)).size > 4 * MAX_PASSWORD) throw new InputError(`${place} is too large`)
  try {
    return readFileSync(place, 'utf8').split(/\r?\n/, 1)[0]!
  } catch (error) {
    throw new InputError((error as Error).message)
  }
}

function checkedPassword(password: string | undefined, where: string): string {
  if (password === undefined) throw new InputError(`${where} is not set`)
  if (password === '') throw new InputError(`${where} is empty`)
  if (/[\0\r\n]/.test(password)) throw new InputError(`${where} must be one line`)
  if (Buffer.byteLength(password) > MAX_PASSWORD)
    throw new InputError(`${where} has more than ${MAX_PASSWORD} bytes`)
  return password
}
