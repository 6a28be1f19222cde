import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Header, Pack } from 'tar-stream'

/** A file for an image or a container. */
export interface File {
  /** Absolute in a container, relative to the build context for an image. */
  path: string
  /** The content, or the path of a file on this machine that has the content. */
  content: string | Buffer | { file: string }
  /** Default: 0o644. */
  mode?: number
  /** Default: root. */
  uid?: number
}

/**
 * The oldest possible time. Postfix waits about two seconds before it reads a configuration file that has just
 * changed, and the cache of a build must not depend on the time of a checkout.
 */
const MODIFIED = new Date(1_000)

/**
 * A tar archive of files, in the form that the engine takes. If a file cannot be read, the stream ends with the
 * error.
 */
export function archive(files: readonly File[]): Readable {
  return Readable.from(chunks(files))
}

async function* chunks(files: readonly File[]): AsyncGenerator<Buffer> {
  // Loaded here, because a run without containers loads this module and never needs tar-stream.
  const { pack } = await import('tar-stream')
  const tar = pack()
  void fill(tar, files).catch(error => tar.destroy(error as Error))
  yield* tar as AsyncIterable<Buffer>
}

async function fill(tar: Pack, files: readonly File[]): Promise<void> {
  for (const { path, content, mode = 0o644, uid = 0 } of files) {
    const header: Partial<Header> & { name: string } = {
      name: path.replace(/^\/+/, ''),
      mode,
      uid,
      mtime: MODIFIED,
    }
    if (typeof content === 'string' || Buffer.isBuffer(content))
      await new Promise<void>((resolve, reject) => {
        tar.entry(header, content, error => (error ? reject(error) : resolve()))
      })
    else {
      const { size } = await stat(content.file)
      await pipeline(createReadStream(content.file), tar.entry({ ...header, size }))
    }
  }
  tar.finalize()
}
