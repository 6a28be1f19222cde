'use strict'
// Haraka's plugin `connectors` reads the mail flow from flow.json and implements it with Haraka's hooks. It is plain
// JavaScript, because Haraka compiles plugins itself. It prints what becomes of each recipient; adapter.ts reads these
// lines.

const { readFileSync, rmSync } = require('node:fs')
const tls = require('node:tls')
const DSN = require('haraka-dsn')
const net_utils = require('haraka-net-utils')
const { getDnsResolver } = require('haraka-net-utils/lib/dns_config')
const outbound = require('./outbound')
const outbound_tls = require('./outbound/tls')

const folder = process.env.HARAKA
const flow = JSON.parse(readFileSync(`${folder}/flow.json`, 'utf8'))

// Haraka passes the lowest TLS version to Node, but not the highest.
if (flow.maxVersion) tls.DEFAULT_MAX_VERSION = flow.maxVersion

exports.register = function () {
  getDnsResolver().setServers([flow.resolver])
  for (const hook of ['lookup_rdns', 'connect', 'mail', 'rcpt', 'vrfy', 'get_mx', 'delivered', 'deferred', 'bounce', 'log'])
    this.register_hook(hook, `on_${hook}`)
}

// Haraka ends when nothing keeps its process busy. The IPC channel to the parent process must not keep it busy.
exports.shutdown = () => process.channel?.unref()

// The parent process has ended: remove the folder and end as well.
process.once('disconnect', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})

// `outbound.flush_queue` skips messages from before a restart, because their file names contain another process id.
process.on('message', ({ event, domain }) => {
  if (event === 'connectors.retry') outbound.flush_queue(domain)
})

const covers = (pattern, domain) =>
  pattern === '*' || (pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : pattern === domain)
const rank = pattern => pattern.length + (pattern.startsWith('*') ? 0 : 1000)
const decisive = (connectors, key, domain) =>
  connectors.filter(c => covers(c[key], domain)).sort((a, b) => rank(b[key]) - rank(a[key]))[0]

// Without this hook Haraka asks the system's resolver for the name of each client. No query may leave this machine, and
// the answers would differ between machines.
exports.on_lookup_rdns = next => next(OK, 'NXDOMAIN')

// On port 587 Haraka requires a login from every client that is not allowed to relay yet.
exports.on_connect = (next, connection) => {
  if (flow.submissionPorts.includes(connection.local.port)) connection.relaying = true
  next()
}

const tls_first = () => DSN.create(530, 'Must issue a STARTTLS command first', 7, 0)

exports.on_mail = (next, connection, [sender]) => {
  if (flow.submissionPorts.includes(connection.local.port)) return next()
  const connector = decisive(flow.inbound, 'from', (sender.host ?? '').toLowerCase())
  if (!connector || connector.tls !== 'required') return next()
  if (!connection.tls.enabled) return next(DENY, tls_first())
  if (connector.clientCertificate && !hasName(connection.tls.peerCertificate, connector.clientCertificate))
    return next(DENY, DSN.create(550, 'Certificate of the sending server is missing or names another host', 7, 1))
  next()
}

// This function checks only the name. It cannot use `tls.verified`: Haraka 3.3.4 says false for every client certificate,
// also for a good one, because it reads a property that Node sets only on sockets of a tls.Server.
function hasName(certificate, name) {
  if (!certificate?.subject) return false
  const names = (certificate.subjectaltname ?? '').split(/,\s*/).map(n => n.replace(/^DNS:/, '').toLowerCase())
  if (!name.startsWith('*.')) return names.includes(name)
  return names.some(n => n.endsWith(name.slice(1)) && !n.slice(0, -name.length + 1).includes('.'))
}

exports.on_rcpt = (next, connection, [recipient]) => {
  const local = (recipient.host ?? '').toLowerCase() === flow.domain
  if (!local && !flow.submissionPorts.includes(connection.local.port))
    return next(DENY, DSN.create(550, 'No relay', 7, 1))
  // Haraka also relays mail for its own domain: DNS leads this domain to the mailbox.
  connection.relaying = true
  next(OK)
}

exports.on_vrfy = (next, connection) =>
  !connection.tls.enabled && flow.inbound.some(c => c.from === '*') ? next(DENY, tls_first()) : next()

exports.on_get_mx = async (next, hmail, domain) => {
  const connector = decisive(flow.outbound, 'to', domain.toLowerCase())
  // Haraka compares force_tls_hosts literally, without wildcards, so this hook adds each domain that a connector covers.
  const forced = outbound_tls.cfg.force_tls_hosts
  if (connector && connector.tls !== 'opportunistic' && !forced.includes(domain)) forced.push(domain)
  try {
    const exchangers = await net_utils.get_mx(domain)
    for (const exchanger of exchangers) exchanger.port = flow.partnerPort
    next(OK, hmail.sort_mx(exchangers))
  } catch {
    next() // Haraka looks up the name again and reports the failure itself.
  }
}

// Haraka defers a message with "Tried all MXs", whatever the reason. An earlier line of the log about the same message has
// the reason.
const causes = new Map()
const CAUSE =
  /^\[\w+\] \[([^\]]+)\] \[outbound\] (?:Ongoing connection failed to \S+ : |(?=Failed to get socket: |Remote end ))(.*)/
exports.on_log = (next, _logger, { data }) => {
  const [, id, cause] = CAUSE.exec(data) ?? []
  if (id) causes.set(id, [...(causes.get(id) ?? []), cause])
  next()
}

const tell = (kind, { todo }, recipients, word) => {
  const cause = causes.get(todo.uuid) ?? []
  causes.delete(todo.uuid)
  // A plugin has no console.
  for (const { user, host, reason } of recipients) {
    const said = kind === 'delivered' ? word : [(kind === 'bounced' && reason) || word, ...cause].join(': ')
    const event = { kind, recipient: `${user}@${host}`, reason: String(said) }
    process.stdout.write(`mail-tls event ${JSON.stringify(event)}\n`)
  }
}

exports.on_delivered = (next, hmail, [, , response, , , , recipients]) => {
  tell('delivered', hmail, recipients, response)
  next()
}

exports.on_deferred = (next, hmail, { err, fail_recips }) => {
  tell('deferred', hmail, fail_recips ?? hmail.todo.rcpt_to, err)
  next()
}

exports.on_bounce = (next, hmail, error) => {
  tell('bounced', hmail, error.bounced_rcpt ?? hmail.todo.rcpt_to, error.message)
  next()
}
