import type { Endpoint } from '../../wire/smtp/smtp.ts'
import type { HttpAddress } from './http.ts'
import { type ImapAddress, imapMailbox } from './imap.ts'
import type { Mailbox } from './mailbox.ts'
import { mailhogMailbox } from './mailhog.ts'
import { isMailpit, mailpitMailbox } from './mailpit.ts'

/** The suite is the mailbox: it takes mail over SMTP there. `url` may be printed. */
export interface OwnAddress {
  url: string
  listen: Endpoint
}

/** Where the mailbox of a gateway file is. */
export type MailboxAddress = UsersAddress | OwnAddress
type UsersAddress = HttpAddress | ImapAddress

/** A mailbox that is there already: IMAP by its address, Mailpit or MailHog by what answers there. */
export function usersMailbox(address: UsersAddress): Mailbox {
  if ('user' in address) return imapMailbox(address)
  let known: Mailbox | undefined
  const mailbox = async () => {
    known ??= (await isMailpit(address)) ? mailpitMailbox(address) : mailhogMailbox(address)
    return known
  }
  return {
    // Those of MailHog, until a message has shown otherwise.
    needsReturnPath: true,
    sevenBitOnly: true,
    find: async text => (await mailbox()).find(text),
    await: async (text, wait) => (await mailbox()).await(text, wait),
  }
}
