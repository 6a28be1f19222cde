import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { archive, type File } from './archive.ts'
import type { Dockerode, Doing } from './client.ts'
import { ANSWER, ContainerFailure, lastWords, within } from './failure.ts'
import { IMAGE_LABEL, prune } from './prune.ts'

/** What an image is built from. The tag of the image is a hash of all of this, so every change makes another image. */
export interface ImageSource {
  /** The name in progress lines, in errors and in the tag `mail-tls/NAME:HASH`; lower case. */
  name: string
  /** The whole build context, with the `Dockerfile`. The engine builds without BuildKit: no heredocs, no mounts. */
  files: readonly ContextFile[]
  /** Values for the Dockerfile's ARGs. */
  args?: Record<string, string>
}

export interface ContextFile extends File {
  /** Goes into the hash in place of the content, where the content is large. */
  fingerprint?: string
}

/** Files of a folder as part of a build context. A file that is executable stays executable. */
export function folderFiles(folder: string, paths: readonly string[]): ContextFile[] {
  return paths.map(path => ({
    path,
    content: readFileSync(join(folder, path)),
    mode: statSync(join(folder, path)).mode & 0o111 ? 0o755 : 0o644,
  }))
}

/** A build that takes longer counts as hanging, in ms. Builds download packages. */
const BUILD_LIMIT = 20 * 60_000
const MAX_LINES = 200

export function tagOf(source: ImageSource): string {
  return `mail-tls/${source.name}:${fingerprint(source)}`
}

/** `tag` is the tag of the source. Throws ContainerFailure, or the reason of `signal` if the signal ends the build. */
export async function build(
  docker: Dockerode,
  {
    tag,
    source,
    doing,
    signal,
  }: { tag: string; source: ImageSource; doing: Doing; signal?: AbortSignal | undefined },
): Promise<string> {
  signal?.throwIfAborted()
  if (await isThere(docker, tag)) return tag
  const what = `building the image of ${source.name}`
  doing(what)
  const over = new AbortController()
  const stop = AbortSignal.any([over.signal, ...(signal ? [signal] : [])])
  const lines: string[] = []
  try {
    await within(BUILD_LIMIT, what, run())
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof ContainerFailure) throw error
    throw new ContainerFailure(`${what} failed: ${(error as Error).message} (${lastWords(lines)})`)
  } finally {
    over.abort()
  }
  // Nothing waits for the removal of old images, and a failure of it does no harm.
  prune(docker).catch(() => {})
  return tag

  async function run(): Promise<void> {
    const stream = await docker.buildImage(archive(source.files), {
      t: tag,
      labels: { [IMAGE_LABEL]: source.name },
      rm: true,
      // Without this, a step that fails leaves its container behind.
      forcerm: true,
      buildargs: { ...proxies(), ...source.args },
      // When the connection closes, the engine ends the step that is running and removes the container of the step.
      abortSignal: stop,
    })
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        error => (error ? reject(error) : resolve()),
        ({ stream: text = '', error }: { stream?: string; error?: string }) => {
          if (error) reject(new Error(error))
          lines.push(
            ...text
              .replace(/\x1b\[[0-9;]*m/g, '')
              .split('\n')
              .filter(line => line.trim()),
          )
          lines.splice(0, lines.length - MAX_LINES)
          const [, step, steps] = /^Step (\d+)\/(\d+) :/.exec(text) ?? []
          if (step) doing(`${what} (step ${step} of ${steps})`)
        },
      )
    })
  }
}

async function isThere(docker: Dockerode, tag: string): Promise<boolean> {
  try {
    await within(ANSWER, `looking for the image ${tag}`, docker.getImage(tag).inspect())
    return true
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false
    if (error instanceof ContainerFailure) throw error
    throw new ContainerFailure(`the container engine failed: ${(error as Error).message}`)
  }
}

function fingerprint({ files, args = {} }: ImageSource): string {
  const hash = createHash('sha256')
  const part = (text: string | Buffer) => hash.update(`${text.length}:`).update(text)
  for (const [name, value] of Object.entries(args).sort()) part(name).update(value)
  for (const { path, mode = 0o644, content, fingerprint } of files) {
    part(path)
    part(String(mode))
    part(
      fingerprint ??
        (typeof content === 'object' && 'file' in content ? readFileSync(content.file) : content),
    )
  }
  return hash.digest('hex').slice(0, 16)
}

/** The engine knows these ARGs without a declaration in the Dockerfile, and does not keep them in the image. */
function proxies(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()])
  return Object.fromEntries(names.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])))
}
