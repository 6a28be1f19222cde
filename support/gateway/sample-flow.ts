import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Pki } from '../pki/pki.ts'
import type { RenderedFile } from './adapter.ts'
import type { GatewaySource } from './gateway.ts'
import type { MailFlow } from './mail-flow.ts'
import { standardFlow } from './standard-flow.ts'

/** For unit tests: issues placeholders, so that no key gets into a sample. */
export const samplePki = {
  issue: async () => ({ key: '<key>\n', certificate: '<certificate>\n' }),
  root: async (name = 'root') => `<certificate of ${name}>\n`,
} as unknown as Pki

/** The standard flow of a product without any secret. */
export async function sampleFlow(source: GatewaySource): Promise<MailFlow> {
  const network = { resolver: '198.18.0.3', partnerPort: 25 }
  const flow = await standardFlow(source, { pki: samplePki, network })
  return { ...flow, users: flow.users.map(({ name }) => ({ name, password: '<password>' })) }
}

/** Throws AssertionError at a difference; with UPDATE_SAMPLES=1 in the environment it writes the samples anew. */
export function sameAsSamples(files: readonly RenderedFile[], folder: string): void {
  const local = (path: string) => path.replace(/^\//, '')
  if (process.env['UPDATE_SAMPLES']) {
    rmSync(folder, { recursive: true, force: true })
    for (const { path, content } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
  }
  const expected = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
  assert.deepEqual(files.map(({ path }) => local(path)).sort(), expected.sort())
  for (const { path, content } of files)
    assert.equal(content, readFileSync(join(folder, path), 'utf8'), `${path} differs from its sample`)
}
