import { InputError } from '../../input-error.ts'

/** The commands of a product. `via` stands before each program that has to run where the gateway is. */
type CommandSet = (
  via: string,
) => { log: string; queue: string; retry: string } & Partial<
  Record<'expire' | 'certificate' | 'trust' | 'reload', string>
>

/** Ready-made commands by product, as texts for `sh -c` on this machine. Log files are those of Debian. */
const SETS: Record<string, CommandSet> = {
  postfix: via => ({
    log: following('/var/log/mail.log', via),
    queue: `${via}postqueue -p`,
    // postqueue -f would try the whole queue, and postqueue -s needs fast_flush_domains.
    retry: asking(
      'MAIL_TLS_DOMAIN',
      `${postfixIds(String.raw`@$asked\"`)} | while read -r id; do postqueue -i "$id" || :; done`,
      via,
    ),
    // postsuper -e needs Postfix 3.5.
    expire: asking(
      'MAIL_TLS_RECIPIENT',
      `${postfixIds(String.raw`\"$asked\"`)} | while read -r id; do postsuper -e "$id"; postqueue -i "$id" || :; done`,
      via,
    ),
    certificate: installing(
      IDENTITY,
      postfixSettings('certificate', 'smtpd_tls_chain_files', 'smtpd_tls_chain_files=$file'),
      via,
    ),
    trust: installing(
      ROOTS,
      postfixSettings(
        'roots',
        'smtp_tls_CAfile smtp_tls_CApath smtpd_tls_CAfile smtpd_tls_CApath tls_append_default_CA',
        'smtp_tls_CAfile=$file smtp_tls_CApath= smtpd_tls_CAfile=$file smtpd_tls_CApath= tls_append_default_CA=no',
      ),
      via,
    ),
    reload: there(POSTFIX_RELOAD, via),
  }),
  exim: via => ({
    log: following('/var/log/exim4/mainlog', via),
    queue: `${via}exim4 -bpu`,
    retry: `${via}exim4 -Rff "@$MAIL_TLS_DOMAIN"`,
    expire: asking('MAIL_TLS_RECIPIENT', 'exiqgrep -i -r "$asked" | xargs -r exim4 -Mg', via),
    certificate: installing(
      IDENTITY,
      `${PUT}
value() { exim4 -bP "$1" | sed "s/^[^=]*= *//"; }
pair "$(value tls_certificate)" "$(value tls_privatekey)"`,
      via,
    ),
    // A transport without roots of its own has the word "system".
    trust: installing(
      ROOTS,
      `${PUT}
putAll "$({ exim4 -bP tls_verify_certificates; exim4 -bP transports; } | sed -n "s/^ *tls_verify_certificates = //p" | grep -vx system | sort -u)"`,
      via,
    ),
    reload: there('exim4 -bV >/dev/null && kill -HUP "$(cat /run/exim4/exim.pid)"', via),
  }),
  sendmail: via => ({
    log: following('/var/log/mail.log', via),
    queue: `${via}mailq -v`,
    retry: `${via}sendmail "-qR@$MAIL_TLS_DOMAIN"`,
    expire: `${via}sendmail -OTimeout.queuereturn=now "-qR$MAIL_TLS_RECIPIENT"`,
    // Sendmail shows the intermediate certificates that are among its roots.
    certificate: installing(
      IDENTITY,
      `${PUT}
${SENDMAIL_VALUE}
pair "$(value ServerCertFile)" "$(value ServerKeyFile)"
joined() { sed -n "/BEGIN CERT/,/END CERT/p"; cat "$file.mail-tls"; }
put "$(value CACertFile)" joined`,
      via,
    ),
    trust: installing(
      ROOTS,
      `${PUT}
${SENDMAIL_VALUE}
put "$(value CACertFile)" cat`,
      via,
    ),
    reload: there(`${SENDMAIL_VALUE}; kill -HUP "$(head -n 1 "$(value PidFile)")"`, via),
  }),
  opensmtpd: via => ({
    log: following('/var/log/mail.log', via),
    queue: `${via}smtpctl show queue`,
    // After a failed session a route is disabled for 15 s or longer.
    retry: asking(
      'MAIL_TLS_DOMAIN',
      String.raw`smtpctl show routes | sed -n "s/^\([0-9]*\)\. .* [-N]D[-QK]* nconn=.*/\1/p" | xargs -r -n 1 smtpctl resume route
smtpctl show queue | grep -iF "@$asked|" | cut -d "|" -f 1 | xargs -r -n 1 smtpctl schedule`,
      via,
    ),
    certificate: installing(
      IDENTITY,
      `${PUT}
${SMTPD_FILES}
pair "$(files pki cert)" "$(files pki key)"`,
      via,
    ),
    trust: installing(
      ROOTS,
      `${PUT}
${SMTPD_FILES}
putAll "$(files ca cert)"`,
      via,
    ),
    reload: restarting('opensmtpd', via),
  }),
  haraka: via => ({
    log: following('/var/log/haraka.log', via),
    queue: there('cat /etc/haraka/queue/* 2>/dev/null || true', via),
    retry: asking('MAIL_TLS_DOMAIN', haraka('$asked'), via),
    // Haraka gives mail up that has failed too often. How often it has is in the third part of the name of its file.
    expire: asking(
      'MAIL_TLS_RECIPIENT',
      String.raw`cd /etc/haraka/queue || exit
grep -alisF "\"original\": \"<$asked>\"" * | while IFS=_ read -r arrival next attempts rest; do
  mv "$arrival"_"$next"_"$attempts"_"$rest" "$arrival"_"$next"_9999_"$rest"
done
${haraka(`\${asked#*@}`)}`,
      via,
    ),
    certificate: installing(
      IDENTITY,
      `${PUT}
pair /etc/haraka/config/tls_cert.pem /etc/haraka/config/tls_key.pem`,
      via,
    ),
    // Haraka as a sender trusts the roots of Node.
    trust: installing(
      ROOTS,
      `${PUT}
putAll "$(cat /proc/[0-9]*/environ 2>/dev/null | tr "\\\\0" "\\\\n" | sed -n "s/^NODE_EXTRA_CA_CERTS=//p" | sort -u)"`,
      via,
    ),
    reload: restarting('haraka', via),
  }),
}

/** Haraka tries its mail for a domain now. It answers at its first port, and only to its own machine. */
const haraka = (domain: string): string => `said=$(haraka -c /etc/haraka --qunstick "${domain}")
echo "$said"
echo "$said" | grep -q "^250 "`

/** The files that smtpd.conf names, such as those of `pki … cert`. */
const SMTPD_FILES = String.raw`conf=$(for process in $(grep -lx smtpd /proc/[0-9]*/comm 2>/dev/null); do tr "\0" "\n" <"$(dirname "$process")/cmdline"; done | grep -x "/.*[.]conf" | head -n 1)
[ "$conf" ] || conf=/etc/smtpd.conf
files() { sed -n "s/^ *$1 [^ ]* $2 \"*\([^\" ]*\).*/\1/p" "$conf"; }`

/** For a product that reads its files at its start alone: a container is started again as a whole. */
function restarting(service: string, via: string): string {
  const [, engine, container] = /^((?:docker|podman)(?: compose)?) exec .*?(\S+) $/.exec(via) ?? []
  return engine ? `${engine} restart ${container}` : `${via}systemctl restart ${service}`
}

/** What a command that installs hands on; nothing where it has to put back. */
const IDENTITY = 'cat "$MAIL_TLS_KEY" "$MAIL_TLS_CHAIN"'
const ROOTS = 'cat "$MAIL_TLS_ROOTS"'

/** The script gets what is to be installed on its standard input, and nothing where it has to put back. */
const installing = (what: string, script: string, via: string): string =>
  `{ [ "$MAIL_TLS_RESTORE" ] || ${what}; } | ${there(script, withInput(via))}`

/** The script has in `$asked` what the command is asked for. */
const asking = (variable: string, script: string, via: string): string =>
  `echo "$${variable}" | ${there(`read -r asked\n${script}`, withInput(via))}`

/**
 * A process that is idle may take one more message with the former settings, and ends at once otherwise, so this waits for a
 * moment. One that is busy, as with held mail that Postfix tries again after a reload, takes no other message.
 */
const POSTFIX_RELOAD = `old=$(grep -lxE "smtp|tlsproxy" /proc/[0-9]*/comm 2>/dev/null)
postfix reload || exit
[ -z "$old" ] || for _ in $(seq 10); do
  ls $old 2>/dev/null | grep -q . || break
  sleep 0.1
done`

/** The queue ids of the messages with a text in their entry. */
const postfixIds = (text: string): string =>
  String.raw`postqueue -j | grep -iF "${text}" | sed -n "s/.*\"queue_id\": \"\([^\"]*\).*/\1/p"`

/** A script that runs where the gateway is. It has no single quotes. */
const there = (script: string, via: string): string =>
  `${via}${via.startsWith('ssh ') ? '' : 'sh -c '}'${script}'`

/**
 * Puts what is to be installed into a file beside main.cf, which settings then name; what these settings were is kept in
 * another file, and they are put back from it. No other file is touched. While main.cf is younger than about two seconds, each
 * program of Postfix waits for as long before it reads it, so main.cf gets an older time.
 */
const postfixSettings = (name: string, names: string, values: string): string =>
  `set -eu
new=$(cat)
cd "\${MAIL_CONFIG:-$(postconf -h config_directory)}"
file=$PWD/mail-tls-${name}.pem
edit() { postconf "$@"; touch -d "10 seconds ago" main.cf || :; }
if [ "$new" ]; then
  [ -e "$file.own" ] || postconf -n ${names} >"$file.own"
  (umask 077; printf "%s\\n" "$new" >"$file")
  edit -e ${values}
elif [ -e "$file.own" ]; then
  edit -X ${names}
  while read -r line; do edit -e "$line"; done <"$file.own"
  rm -f "$file" "$file.own"
fi`

/**
 * `put FILE FILTER…` puts what is to be installed into a file that is there, through a program, and keeps what was there
 * in another file; without anything to install, it puts back. `pair CHAIN KEY` does so with a certificate and its key, and `putAll` with a list of files.
 */
const PUT = `set -eu
new=$(cat)
put() {
  file=$1; shift
  [ -f "$file" ] || { echo "there is no file $file" >&2; exit 1; }
  if [ "$new" ]; then
    [ -e "$file.mail-tls" ] || cp -p "$file" "$file.mail-tls"
    printf "%s\\n" "$new" | "$@" >"$file"
  elif [ -e "$file.mail-tls" ]; then
    cp -p "$file.mail-tls" "$file"
    rm -f "$file.mail-tls"
  fi
}
putAll() {
  [ "$1" ] || { echo "the configuration names no file" >&2; exit 1; }
  for one in $1; do put "$one" cat; done
}
pair() {
  if [ "$1" = "\${2:-$1}" ]; then put "$1" cat; return; fi
  put "$1" sed -n "/BEGIN CERT/,/END CERT/p"
  put "$2" sed "/BEGIN CERT/,/END CERT/d"
}`

/** A setting of Sendmail, or what it is without one. */
const SENDMAIL_VALUE = 'value() { sed -n "s/^O $1=//p" /etc/mail/sendmail.cf; }'

export const READY_MADE = Object.keys(SETS)

const WITH_ENGINE = /^((?:docker|podman)(?: compose)? exec )(?!-i\b)/

/** Such a command hands its standard input on. */
const withInput = (via: string): string => via.replace(WITH_ENGINE, '$1-i ')

/** `docker exec` and `ssh` alone would leave a program behind where the gateway is, so it watches its standard input. */
function following(file: string, via: string): string {
  const tail = `tail -n 0 -F ${file}`
  if (via === '') return tail
  const script = `'${tail} & cat >/dev/null; kill $!'`
  return withInput(via) + (/^ssh\b/.test(via) ? script : `sh -c ${script}`)
}

/**
 * The lines of a gateway file with the commands of a product. `via` stands before each of them, such as `docker exec mx` or
 * `ssh mx`. Throws InputError.
 */
export function commandsOf(product: string, via = ''): string {
  const set = SETS[product]
  if (!set) throw new InputError(`--product ${product}: there are commands for ${READY_MADE.join(', ')}`)
  if (/[\p{Cc}]/u.test(via)) throw new InputError('--via: must be one line')
  const prefix = via.trim() === '' ? '' : `${via.trim()} `
  return [
    '',
    '# What the suite may ask of the gateway; docs/gateway-file.md explains it. Try each command before you use it.',
    'commands:',
    `  reader: ${product}`,
    // An engine waits 10 s for a process that has to end.
    '  timeout: 30s',
    ...Object.entries(set(prefix)).map(([key, text]) => `  ${key}: ${asYaml(text)}`),
    '',
  ].join('\n')
}

/** In single quotes YAML changes nothing but two quotes, which are one. */
const asYaml = (text: string): string =>
  text.includes('\n') ? `|-\n    ${text.replaceAll('\n', '\n    ')}` : `'${text.replaceAll("'", "''")}'`
