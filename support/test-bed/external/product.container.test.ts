import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, RunNetwork } from '../../engine/engine.ts'
import { engineOrSkip } from '../fixtures/test-engine.ts'
import { checkIn, options, problemsIn, verdictsIn } from './bed.ts'
import { productOfUser } from './product.ts'

/** The settings of each product that the ready-made commands exchange, and the files that they name. */
const SETTINGS: Record<string, string> = {
  postfix: 'postconf -n | sort; ls /etc/postfix; cat /etc/postfix/tls/*',
  haraka: 'cat /etc/haraka/config/*; ls /etc/haraka/config',
  exim: 'cat /etc/exim4/exim4.conf /etc/exim4/tls/*; ls /etc/exim4/tls',
}

/** Faults of the product itself; containers/exim/deviations.yaml has the reason. */
const KNOWN: Record<string, string[]> = {
  exim: ['EXO-ROOT-02 the intermediate of the new authority: non-conformant: the message arrived over TLS'],
}

describe('the ready-made commands', function () {
  this.timeout(10 * 60_000)
  let engine: Engine
  let own: RunNetwork
  let folder: string
  before(async function () {
    engine = await engineOrSkip(this)
    own = await engine.network()
  })
  after(async () => own?.stop())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'product-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  for (const product of ['postfix', 'exim', 'haraka'])
    it(`let ${product} be judged about retries and changes, and it has its own settings afterwards`, async () => {
      const { name } = await productOfUser(product, { engine, own, folder })
      const settings = () =>
        execFileSync('docker', ['exec', name, 'sh', '-c', SETTINGS[product]!], { encoding: 'utf8' })
      const before = settings()
      const ids = ['RFC5321-02', 'EXO-TRN-01', 'EXO-TRN-03', 'EXO-ROOT-02']
      const { status, err } = await checkIn(folder, ...options(...ids))
      assert.equal(err, '')
      const verdicts = verdictsIn(folder)
      const known = KNOWN[product] ?? []
      assert.deepEqual(problemsIn({ verdicts, err: '' }), known)
      assert.equal(status, known.length > 0 ? 1 : 0)
      assert.deepEqual(
        verdicts.filter(({ verdict }) => verdict === 'inapplicable').map(({ detail }) => detail),
        [],
      )
      assert.equal(settings(), before)
    })
})
