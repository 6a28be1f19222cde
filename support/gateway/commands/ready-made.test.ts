import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAuthorities } from '../../pki/authority-files.ts'
import { loadGatewayFile } from '../gateway-file.ts'
import { runCommand } from './command.ts'
import { commandsOf, READY_MADE } from './ready-made.ts'

describe('ready-made commands', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ready-made-'))
    writeAuthorities(join(folder, 'pki'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const loaded = (text: string) => {
    const file = join(folder, 'gateway.yaml')
    writeFileSync(file, `name: a\ninbound: { address: "mx:25", hostname: mx, recipient: a@b }\n${text}`)
    return loadGatewayFile(file).commands!
  }

  for (const product of READY_MADE)
    for (const via of ['', 'docker exec mx', 'ssh mx'])
      it(`of ${product} are a part of a gateway file${via && ` via ${via}`}`, async () => {
        const { reader, log, queue, retry, expire, certificate, trust, reload } = loaded(
          commandsOf(product, via),
        )
        assert.equal(reader, product)
        for (const command of [log, queue, retry, expire, certificate, trust, reload]) {
          if (!command || !('argv' in command)) continue
          // A shell reads it without running it.
          await runCommand({ ...command, argv: ['sh', '-n', ...command.argv.slice(1)] }, { timeout: 20_000 })
          assert.ok(
            (via === 'docker exec mx' ? /^.*docker (exec|restart) /s : new RegExp(via)).test(
              command.argv.at(-1)!,
            ),
          )
        }
      })

  it('ask a Postfix for the mail of one recipient or domain alone', async () => {
    const entry = (id: string, to: string) =>
      JSON.stringify({
        queue_name: 'deferred',
        queue_id: id,
        sender: 'a@b.test',
        recipients: [{ address: to }],
      })
    const queue = [entry('AAA', 'c@D.test'), entry('BBB', 'e@d.test'), entry('CCC', 'c@d.test.other.test')]
    writeFileSync(join(folder, 'queue'), queue.map(line => `${line.replaceAll('":', '": ')}\n`).join(''))
    writeFileSync(
      join(folder, 'postqueue'),
      `#!/bin/sh\n[ "$1" = -j ] && cat ${folder}/queue || echo "try $2"\n`,
      { mode: 0o755 },
    )
    writeFileSync(join(folder, 'postsuper'), '#!/bin/sh\necho "expire $2"\n', { mode: 0o755 })
    const { expire, retry } = loaded(commandsOf('postfix'))
    const variables = {
      ...{ MAIL_TLS_RECIPIENT: 'C@d.test', MAIL_TLS_DOMAIN: 'd.test' },
      PATH: `${folder}:${process.env['PATH']}`,
    }
    assert.equal(await runCommand(expire!, { variables, timeout: 20_000 }), 'expire AAA\ntry AAA\n')
    assert.equal(await runCommand(retry!, { variables, timeout: 20_000 }), 'try AAA\ntry BBB\n')
  })

  it('exist for some products only', () =>
    assert.throws(() => commandsOf('qmail'), {
      name: 'InputError',
      message: /^--product qmail: there are commands for postfix, /,
    }))
})
