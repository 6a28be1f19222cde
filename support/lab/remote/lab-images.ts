import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../../engine/engine.ts'
import { type ContextFile, folderFiles, type ImageSource } from '../../engine/image.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const folder = (name: string) => join(ROOT, 'support/lab/images', name)

/**
 * The image of the lab: `lab-server.ts` and what it imports, with the Node that npm has installed for the engine's
 * processor. npm installs it only for its own system; elsewhere the image is built on the public image of the same
 * version.
 */
export function labImage(architecture: string): ImageSource {
  const node = nodeBinary(architecture)
  const sources = importsOf(join(import.meta.dirname, `lab-server${extname(import.meta.filename)}`)).map(
    path => ({
      path: `sources/${relative(ROOT, path)}`,
      content: readFileSync(path),
    }),
  )
  const image = {
    name: 'lab',
    files: [
      ...folderFiles(folder('lab'), ['Dockerfile', 'start', 'strip-types.mjs']),
      { path: 'sources/package.json', content: '{ "type": "module" }\n' },
      ...sources,
      ...(node ? [node] : [{ path: 'node/README', content: 'The image has Node already.\n' }]),
    ],
  }
  return node ? image : { ...image, args: { BASE: `node:${process.versions.node}-trixie-slim` } }
}

/**
 * Tags of the images of the lab, its name servers and its mailbox. They are built where the engine does not have
 * them.
 */
export function labImages(engine: Engine): Promise<[lab: string, names: string, mailbox: string]> {
  return Promise.all([
    engine.image(labImage(engine.architecture)),
    engine.image(namesImage()),
    engine.image(mailboxImage()),
  ])
}

export function namesImage(): ImageSource {
  const files = ['Dockerfile', 'named.conf', 'root.zone', 'start', 'test.zone', 'unbound.conf']
  return { name: 'names', files: folderFiles(folder('names'), files) }
}

export function mailboxImage(): ImageSource {
  return {
    name: 'mailbox',
    files: folderFiles(folder('mailbox'), ['Dockerfile', 'go.mod', 'go.sum', 'start']),
  }
}

function nodeBinary(architecture: string): ContextFile | undefined {
  const suffix = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }[architecture]
  const description = suffix && installed(`node-linux-${suffix}`)
  if (!description) return undefined
  const binary = join(dirname(description), 'bin/node')
  const { name, version } = JSON.parse(readFileSync(description, 'utf8'))
  return { path: 'node/node', content: { file: binary }, mode: 0o755, fingerprint: `${name}@${version}` }
}

/** The package.json of an installed package. */
function installed(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url)
  } catch {
    return undefined
  }
}

/** A file of the program and all files that it imports. Types are left out, because they do not exist at run time. */
function importsOf(path: string, found = new Set<string>()): string[] {
  found.add(path)
  const text = readFileSync(path, 'utf8')
  for (const [, clause, target] of text.matchAll(/^(?:import|export)\s([^']*?)from '(\.[^']+)'/gm))
    if (!clause!.startsWith('type ')) {
      const file = resolve(dirname(path), target!)
      if (!found.has(file)) importsOf(file, found)
    }
  return [...found].sort()
}
