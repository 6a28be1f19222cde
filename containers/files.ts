import type { RenderedFile } from '../support/gateway/adapter.ts'
import type { MailFlow } from '../support/mailflow/mail-flow.ts'

/** A name and a password in each line, for a product's `start` to make of it what the product reads. */
export const usersFile = (path: string, { users }: MailFlow): RenderedFile => ({
  path,
  content: users.map(({ name, password }) => `${name} ${password}\n`).join(''),
  mode: '0600',
})

/** No file where the gateway has lost its certificate: an empty one would be another matter. */
export const certificateFile = (path: string, { identity: { certificate } }: MailFlow): RenderedFile[] =>
  certificate ? [{ path, content: certificate }] : []

/** As `certificateFile`, with the key in front. */
export const identityFile = (path: string, { identity: { key, certificate } }: MailFlow): RenderedFile[] =>
  certificate ? [{ path, content: `${key}${certificate}`, mode: '0600' }] : []

/** Who may relay on the submission port: networks of containers, and of a machine. */
export const LAN = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15']
