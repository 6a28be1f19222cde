/**
 * What the tap does to the traffic. This file changes commands and replies; `tap.ts` resets connections and ends TLS at
 * the tap.
 */
export interface TapChanges {
  /** The tap deletes the keyword from the reply to EHLO. */
  stripsStarttls?: true
  /** The tap overwrites the go-ahead to STARTTLS with 502. */
  corruptsGoAhead?: true
  /** The tap resets both connections when it has this message of the handshake, and does not pass the message on. */
  cutsAfter?: 'ClientHello' | 'ServerHello'
  /**
   * TLS ends at the tap on both sides. `tls` of the behaviour says how the tap speaks TLS with the gateway under
   * test.
   */
  swapsTls?: true
}

/** The tap replaces STARTTLS by this word of the same length, which is not an SMTP command. */
const NO_COMMAND = 'XXXXXXXX'

/** What the tap passes on in place of an unencrypted command; undefined: the command as it is. */
export function changedCommand(command: string, { stripsStarttls }: TapChanges): string | undefined {
  return stripsStarttls && /^starttls\b/i.test(command) ? NO_COMMAND : undefined
}

/** What the tap passes on in place of an unencrypted reply, lines without their ends; undefined: the reply as it is. */
export function changedReply(
  lines: readonly Buffer[],
  asked: string | undefined,
  { stripsStarttls, corruptsGoAhead }: TapChanges,
): Buffer[] | undefined {
  if (asked === 'EHLO' && stripsStarttls) return withoutStarttls(lines)
  const isGoAhead = asked === 'STARTTLS' && lines.at(-1)!.subarray(0, 3).toString('latin1') === '220'
  return isGoAhead && corruptsGoAhead ? [Buffer.from('502 5.5.1 Command not implemented')] : undefined
}

/** A reply to EHLO without the line STARTTLS. The last of the other lines is made the end of the reply. */
function withoutStarttls(lines: readonly Buffer[]): Buffer[] {
  const left = lines.filter(line => !/^250[ -]STARTTLS\s*$/i.test(line.toString('latin1')))
  return left.map((line, i) => {
    const text = line.toString('latin1')
    return Buffer.from(i < left.length - 1 ? text : text.replace(/^(\d{3})-/, '$1 '), 'latin1')
  })
}
