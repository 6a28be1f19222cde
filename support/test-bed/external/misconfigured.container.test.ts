import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunNetwork } from '../../engine/engine.ts'
import { readAuthorities } from '../../pki/authority-files.ts'
import type { CertificateFlaw } from '../../pki/flaws.ts'
import { Pki } from '../../pki/pki.ts'
import { engineOrSkip } from '../fixtures/test-engine.ts'
import { checkIn, options } from './bed.ts'
import { productOfUser } from './product.ts'

const FOLDER = '/etc/postfix'
const OLD = '">=TLSv1"'

interface Mistake {
  /** What the administrator does in the container. `input`: what is on the standard input of the script. */
  script: string
  input?: (folder: string) => string | Promise<string>
  requirements: string[]
  /** What the first finding says. */
  told: RegExp
}

const INSTALL = `cat >${FOLDER}/own.pem; chmod 600 ${FOLDER}/own.pem`

const ownCertificate = (name: string, flaws: CertificateFlaw[] = []): Pick<Mistake, 'script' | 'input'> => ({
  script: `${INSTALL}; postconf -e smtpd_tls_chain_files=${FOLDER}/own.pem`,
  async input(folder) {
    const pki = new Pki(readAuthorities(join(folder, 'pki')))
    const { key, certificate } = await pki.issue({ names: [name], usage: 'server', flaws })
    return key + certificate
  },
})

/** Mistakes that administrators of a Postfix make. Mail for the gateway's own domain goes to a mailbox without TLS. */
const MISTAKES: Record<string, Mistake> = {
  'sends all mail with the level none': {
    script: 'postconf -e smtp_tls_security_level=none smtp_tls_policy_maps=',
    requirements: ['EXO-OPP-01', 'EXO-FRC-01', 'EXO-FRC-10', 'EXO-VER-02'],
    told: /All mail goes without TLS, also to partners that offer TLS/,
  },
  'sends all mail with the level encrypt': {
    script:
      'echo "gateway.test may" >/etc/postfix/own; postconf -e smtp_tls_security_level=encrypt smtp_tls_policy_maps=texthash:/etc/postfix/own',
    requirements: ['EXO-OPP-01', 'EXO-OPP-04', 'EXO-FRC-01', 'EXO-FRC-10'],
    told: /all mail is sent as encryption only/,
  },
  'has a policy map that never matches': {
    script: `sed "s/^/*/" ${FOLDER}/outbound >${FOLDER}/never; postconf -e smtp_tls_policy_maps=texthash:${FOLDER}/never`,
    requirements: ['EXO-OPP-01', 'EXO-FRC-01', 'EXO-FRC-05', 'EXO-FRC-10'],
    told: /No level of any outbound connector takes effect: all mail is sent as opportunistic/,
  },
  'has another file of roots': {
    script: `cat >${FOLDER}/other.pem; postconf -e smtp_tls_CAfile=${FOLDER}/other.pem`,
    input: folder => readFileSync(join(folder, 'pki/other-root.pem'), 'utf8'),
    requirements: ['EXO-OPP-01', 'EXO-FRC-10', 'EXO-FRC-08', 'PKIX-02', 'PKIX-03', 'EXO-VER-04'],
    told: /No certificate under the suite's root \(pki\/root\.pem\) is accepted/,
  },
  'shows a certificate that has expired': {
    ...ownCertificate('mx.gateway.test', ['expired']),
    requirements: ['PKIX-06', 'PKIX-07', 'EXO-OPP-07'],
    told: /The gateway's certificate expired on /,
  },
  'shows a certificate for another name': {
    ...ownCertificate('mail.elsewhere.test'),
    requirements: ['PKIX-06', 'PKIX-07', 'EXO-OPP-07'],
    told: /The gateway's certificate is for mail\.elsewhere\.test, and not for mx\.gateway\.test/,
  },
  'speaks TLS 1.0 with weak suites': {
    script: `postconf -e smtpd_tls_protocols=${OLD} smtp_tls_protocols=${OLD} smtpd_tls_mandatory_protocols=${OLD} smtp_tls_mandatory_protocols=${OLD} tls_medium_cipherlist=ALL:@SECLEVEL=0 smtpd_tls_ciphers=medium`,
    requirements: ['RFC8996-01', 'RFC8996-02', 'EXO-VER-02', 'EXO-VER-04', 'EXO-FRC-08'],
    told: /The gateway still uses TLS 1\.0 and TLS 1\.1/,
  },
  'has no roots at all': {
    script: `postconf -e smtp_tls_CAfile= smtp_tls_CApath=`,
    requirements: ['EXO-OPP-01', 'EXO-FRC-10', 'EXO-FRC-08', 'PKIX-02', 'PKIX-03', 'EXO-VER-04'],
    told: /No certificate under the suite's root \(pki\/root\.pem\) is accepted/,
  },
  'has the key of another certificate': {
    script: `${INSTALL}; postconf -e smtpd_tls_chain_files= smtpd_tls_cert_file=${FOLDER}/own.pem smtpd_tls_key_file=$(postconf -h smtpd_tls_chain_files)`,
    input: ownCertificate('mx.gateway.test').input!,
    requirements: ['PKIX-06', 'PKIX-07', 'EXO-OPP-07', 'EXO-VER-03'],
    told: /STARTTLS is offered, and then refused to every client \(454 4\.7\.0 TLS not available due to local problem\)/,
  },
  'sends to a port that a firewall blocks': {
    script: 'postconf -e smtp_tcp_port=26',
    requirements: ['EXO-OPP-01', 'EXO-FRC-01'],
    told: /the gateway took mail for .*, and made no connection to any partner within .*; look at where the gateway sends mail/,
  },
  'takes no mail at the port for submission': {
    script: 'postconf -P 587/inet/smtpd_relay_restrictions=reject',
    requirements: ['EXO-OPP-01', 'EXO-FRC-01'],
    told: /the gateway takes no mail to send on for .*: 5.*; look at outbound\.submit and outbound\.login/,
  },
  'takes mail in the clear where TLS is required': {
    script: 'postconf -e smtpd_sender_restrictions=',
    requirements: ['EXO-FRC-11', 'EXO-OPP-07', 'EXO-FRC-08'],
    told: /An inbound connector that requires TLS takes mail in the clear/,
  },
}

describe('the first finding of a Postfix with a mistake names the mistake', function () {
  this.timeout(10 * 60_000)
  let own: RunNetwork
  let folder: string
  let inside: (script: string, input?: string) => void
  before(async function () {
    const engine = await engineOrSkip(this)
    own = await engine.network()
    folder = mkdtempSync(join(tmpdir(), 'mistakes-'))
    const { name, file } = await productOfUser('postfix', { engine, own, folder })
    const { reader, log, queue, retry } = file['commands'] as Record<string, unknown>
    writeFileSync(
      join(folder, 'gateway.yaml'),
      JSON.stringify({ ...file, commands: { reader, log, queue, retry } }),
    )
    inside = (script, input = '') =>
      void execFileSync('docker', ['exec', '-i', name, 'sh', '-c', script], {
        input,
        stdio: ['pipe', 'ignore', 'ignore'],
      })
    inside(`cp ${FOLDER}/main.cf /main.own; cp ${FOLDER}/master.cf /master.own`)
  })
  after(async () => {
    await own?.stop()
    if (folder) rmSync(folder, { recursive: true })
  })

  for (const [mistake, { script, input, requirements, told }] of Object.entries(MISTAKES))
    it(mistake, async () => {
      inside(`cp /main.own ${FOLDER}/main.cf; cp /master.own ${FOLDER}/master.cf; postsuper -d ALL`)
      inside(script, await input?.(folder))
      inside('postfix reload')
      const { out, err } = await checkIn(folder, ...options(...requirements))
      const [, attention = err] = out.split('What needs attention\n')
      assert.match(attention.split(/\n\S/)[0]!.replaceAll(/\s+/g, ' '), told)
    })
})
