import type { RenderedFile } from '../support/gateway/adapter.ts'
import type { MailFlow } from '../support/mailflow/mail-flow.ts'

/** One line with name and password for each user. The product's script `start` turns them into what the product reads. */
export const usersFile = (path: string, { users }: MailFlow): RenderedFile => ({
  path,
  content: users.map(({ name, password }) => `${name} ${password}\n`).join(''),
  mode: '0600',
})

/** No file if the gateway has lost its certificate: a product may treat an empty file in another way than no file. */
export const certificateFile = (path: string, { identity: { certificate } }: MailFlow): RenderedFile[] =>
  certificate ? [{ path, content: certificate }] : []

/** Like `certificateFile`, with the private key before the certificate. */
export const identityFile = (path: string, { identity: { key, certificate } }: MailFlow): RenderedFile[] =>
  certificate ? [{ path, content: `${key}${certificate}`, mode: '0600' }] : []

/** The networks that may relay through the submission port: those of containers and of a machine. */
export const LAN = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '198.18.0.0/15']
