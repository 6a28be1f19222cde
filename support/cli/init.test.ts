import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import schema from '../gateway/gateway-file.schema.json' with { type: 'json' }
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import { readAuthorities } from '../pki/authority-files.ts'
import { init } from './init.ts'

describe('mail-tls init', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'init-'))
    file = join(folder, 'gateway.yaml')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const text = () => readFileSync(file, 'utf8')

  it('writes a file that can be used as it is', () => {
    init(file)
    const { name, inbound, outbound, pki } = loadGatewayFile(file)
    assert.equal(name, 'edge-gateway')
    assert.deepEqual([inbound?.connectors.length, outbound?.connectors.length], [2, 4])
    assert.equal(pki, join(folder, 'pki'))
    readAuthorities(pki!)
  })

  it('writes a few lines for a receiver', () => {
    init(file, { receiver: 'mx.example.test:2525' })
    const { name, inbound, outbound } = loadGatewayFile(file)
    assert.deepEqual([name, outbound], ['mx.example.test-2525', undefined])
    assert.deepEqual(inbound?.address, { host: 'mx.example.test', port: 2525 })
    assert.deepEqual(
      [inbound?.hostname, inbound?.recipient],
      ['mx.example.test', 'postmaster@mx.example.test'],
    )
    assert.ok(text().split('\n').length < 10)
  })

  for (const receiver of ['127.0.0.1:2525', '[::1]'])
    it(`writes a file for a receiver at ${receiver}`, () => {
      init(file, { receiver })
      assert.ok(receiver.includes(loadGatewayFile(file).inbound!.address.host))
    })

  it('writes optional keys so that taking their sign away is enough', () => {
    init(file)
    writeFileSync(join(folder, 'gateway-ca.pem'), readFileSync(join(folder, 'pki/root.pem')))
    writeFileSync(join(folder, 'deviations.yaml'), '[]')
    const before = text()
    writeFileSync(file, before.replace(/^( *)#(?=\w)/gm, '$1'))
    assert.notEqual(text(), before)
    const { inbound, outbound, profiles, deviations } = loadGatewayFile(file)
    assert.equal(outbound?.submitTls, 'starttls')
    assert.equal(inbound?.trust?.length, 1)
    assert.deepEqual(inbound.mailbox, {
      url: 'smtp://127.0.0.1:1025',
      listen: { host: '127.0.0.1', port: 1025 },
    })
    assert.equal(outbound?.connectors[3]?.tlsDomain, 'mail.partner.test')
    assert.deepEqual(profiles, ['exchange-online-2021'])
    assert.equal(deviations, join(folder, 'deviations.yaml'))
  })

  it('writes every key with a comment', () => {
    init(file)
    const keys = (properties: object): string[] =>
      Object.entries(properties).flatMap(([key, value]) => [
        key,
        ...keys(value.properties ?? value.items?.properties ?? {}),
      ])
    const lines = text().split('\n')
    const explained = (key: string) =>
      lines.some(
        (line, index) =>
          new RegExp(`^[ #-]*${key}:`).test(line) &&
          (line.includes(' # ') || lines[index - 1]!.startsWith('# ')),
      )
    assert.deepEqual(
      keys(schema.properties).filter(key => !explained(key)),
      [],
    )
    for (const line of lines) assert.ok(line.length <= 120, line)
  })

  it('leads editors to the schema, wherever the file is', () => {
    file = join(folder, 'deep', 'er', 'my gateway.yaml')
    mkdirSync(dirname(file), { recursive: true })
    init(file)
    const [, reference] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text()) ?? []
    const found = JSON.parse(readFileSync(resolve(dirname(file), reference!), 'utf8'))
    assert.deepEqual(found, schema)
  })

  it('says what it wrote and what comes next', () => {
    const told = init(file)
    assert.ok(told.startsWith(`Wrote ${file} and ${folder}/pki/.\n`), told)
    for (const part of [
      `trust ${folder}/pki/root.pem, and not ${folder}/pki/other-root.pem`,
      `mail-tls check ${file} --dry-run`,
      `Edit ${file}`,
    ])
      assert.ok(told.includes(part), `${part} is not in:\n${told}`)
  })

  it('says it in lines for a terminal of 80 columns', () => {
    const home = process.cwd()
    process.chdir(folder)
    try {
      const long = init()
        .split('\n')
        .filter(line => line.length > 80)
      assert.deepEqual(long, [])
    } finally {
      process.chdir(home)
    }
  })

  it('keeps the private keys out of Git', () => {
    init(file)
    assert.equal(readFileSync(join(folder, 'pki/.gitignore'), 'utf8'), '*\n')
  })

  it('leaves a file that is there and adds what is missing', () => {
    writeFileSync(file, 'mine')
    const told = init(file)
    assert.equal(text(), 'mine')
    readAuthorities(join(folder, 'pki'))
    assert.ok(told.startsWith(`Wrote ${folder}/pki/.\nLeft ${file} as it was.\n`), told)
  })

  it('leaves authorities that are there and adds what is missing', () => {
    mkdirSync(join(folder, 'pki'))
    const told = init(file)
    assert.deepEqual(readdirSync(join(folder, 'pki')), [])
    assert.ok(existsSync(file))
    assert.ok(told.startsWith(`Wrote ${file}.\nLeft ${folder}/pki/ as it was.\n`), told)
  })

  it('fails when both are there', () => {
    init(file)
    const before = [text(), readFileSync(join(folder, 'pki/root.pem'), 'utf8'), statSync(file).mtimeMs]
    assert.throws(() => init(file), {
      name: 'InputError',
      message: `${file} and ${folder}/pki/ exist already and are not overwritten`,
    })
    assert.deepEqual(
      [text(), readFileSync(join(folder, 'pki/root.pem'), 'utf8'), statSync(file).mtimeMs],
      before,
    )
  })

  it('fails where nothing can be written, and writes nothing', () => {
    assert.throws(() => init(join(folder, 'none', 'gateway.yaml')), {
      name: 'InputError',
      message: /none\/gateway\.yaml: ENOENT/,
    })
    assert.throws(() => init(folder), { name: 'InputError', message: /: is a folder$/ })
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(existsSync(join(folder, '../pki')), false)
  })
})
