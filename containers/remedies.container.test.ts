import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { loadCatalogue } from '../support/catalogue/catalogue.ts'
import { loadFeatures, select } from '../support/catalogue/features.ts'
import { loadRemedies } from '../support/catalogue/remedies.ts'
import type { ContainerProduct } from '../support/gateway/adapter.ts'
import { container } from '../support/gateway/container.ts'
import { Pki } from '../support/pki/pki.ts'
import { withRun } from '../support/run/current.ts'
import { judgeAll } from '../support/run/judge-all.ts'
import { Run } from '../support/run/run.ts'
import { engineOrSkip } from '../support/test-bed/fixtures/test-engine.ts'
import { loadDeviations } from '../support/verdicts/deviations.ts'
import type { VerdictName } from '../support/verdicts/verdict.ts'
import { postfix } from './postfix/adapter.ts'

/** Lines of main.cf that break requirements, together in one Postfix, and what else the suite has to change for that. */
interface Breakage {
  lines: string[]
  requirements: string[]
}

const OLD = '!SSLv2, !SSLv3'
/** Without this, OpenSSL does not speak the versions that Postfix permits. */
const SUITES = 'tls_medium_cipherlist = ALL:@SECLEVEL=0'

const BREAKAGES: Record<string, Breakage> = {
  'connectors, old versions, logins in the clear and a silent log': {
    lines: [
      'smtp_tls_policy_maps =',
      'smtpd_sender_restrictions =',
      'smtpd_tls_auth_only = no',
      `smtp_tls_protocols = ${OLD}`,
      `smtpd_tls_protocols = ${OLD}`,
      SUITES,
      'smtp_tls_loglevel = 0',
      'smtpd_tls_loglevel = 0',
    ],
    requirements: [
      ...['EXO-FRC-01', 'EXO-FRC-02', 'EXO-FRC-10', 'EXO-FRC-11', 'RFC8314-02'],
      ...['EXO-VER-03', 'EXO-VER-04', 'RFC8996-01', 'TRC-02'],
    ],
  },
  'TLS required of everybody, and never used for sending': {
    lines: ['smtpd_tls_security_level = encrypt', 'smtp_tls_security_level = none', 'smtp_tls_policy_maps ='],
    requirements: ['EXO-OPP-01', 'EXO-OPP-07', 'RFC3207-04'],
  },
  'no TLS for receiving': {
    lines: ['smtpd_tls_security_level = none'],
    requirements: ['RFC3207-01'],
  },
}

/** Postfix with lines in main.cf in place of those for the same parameters. */
const withLines = (lines: readonly string[]): ContainerProduct => ({
  ...postfix,
  render: (flow, place) => ({
    files: postfix
      .render(flow, place)
      .files.map(file =>
        file.path.endsWith('/main.cf') ? { ...file, content: replaced(file.content, lines) } : file,
      ),
  }),
})

/** Two lines for one parameter make each program of Postfix warn, and it starts no more once there are ten warnings. */
function replaced(mainCf: string, lines: readonly string[]): string {
  const parts = [...mainCf.trim().split('\n'), ...lines].map(line => /^(\S+) =(.*)$/.exec(line)!)
  const values = new Map(parts.map(([, name, value]) => [name!, value!]))
  return [...values].map(([name, value]) => `${name} =${value}\n`).join('')
}

/** The lines for main.cf with which Postfix keeps a requirement. */
function remedyOf(requirement: string): string[] {
  const settings = loadRemedies()
    .get(requirement)!
    .settings.filter(({ product }) => product === 'postfix')
  return settings.flatMap(({ set }) => set)
}

describe('the remedies for Postfix', function () {
  this.timeout(300_000)
  const catalogue = loadCatalogue()
  const pki = new Pki()
  const deviations = loadDeviations(postfix.deviations!, catalogue)
  before(async function () {
    await engineOrSkip(this)
  })

  /** Each requirement with what became of it; a recorded deviation is neither broken nor kept. */
  const judgedWith = async (lines: readonly string[], requirements: string[]) => {
    const selection = select(loadFeatures(catalogue), catalogue, { requirements })
    const run = await Run.start({ source: container(withLines(lines)), pki, deviations })
    try {
      await withRun(run, () => judgeAll(run, selection, 3 * availableParallelism()))
      const all = [...run.verdicts, ...run.record.ofFailedControls()]
      return requirements.map(id => {
        const own = all.filter(({ requirement }) => requirement === id)
        const has = (...names: VerdictName[]) => own.some(({ verdict }) => names.includes(verdict))
        if (has('non-conformant', 'declined')) return `${id} broken`
        return has('conformant') && !has('inconclusive', 'lab-error') ? `${id} kept` : `${id} unclear`
      })
    } finally {
      await run.stop()
    }
  }

  for (const [what, { lines, requirements }] of Object.entries(BREAKAGES))
    it(`let it keep what it breaks with ${what}`, async () => {
      assert.deepEqual(
        await judgedWith(lines, requirements),
        requirements.map(id => `${id} broken`),
      )
      const remedies = [...new Set(requirements.flatMap(remedyOf))]
      assert.deepEqual(
        await judgedWith([...lines, ...remedies], requirements),
        requirements.map(id => `${id} kept`),
      )
    })
})
