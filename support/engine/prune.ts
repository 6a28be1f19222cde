import type { Dockerode } from './client.ts'
import { ANSWER, within } from './failure.ts'

/** A label on every image of the suite and on its build stages; its value is the name of the image. */
export const IMAGE_LABEL = 'mail-tls.image'

/** So many images of each name stay, whatever their age, because checkouts of several versions share an engine. */
const KEPT = 3
/** The suite keeps images that were built or used within this time, in ms. */
const DAY = 24 * 60 * 60 * 1000
/** Names of images of the suite. Podman puts a registry before every name. */
const OURS = /^(localhost\/)?mail-tls\//

/** Removes old images of the suite. The engine itself refuses to remove an image that a container uses. */
export async function prune(docker: Dockerode): Promise<void> {
  const all = await within(ANSWER, 'listing images', docker.listImages({ filters: { label: [IMAGE_LABEL] } }))
  const ago = Date.now() - DAY
  for (const images of Map.groupBy(all, ({ Labels }) => Labels[IMAGE_LABEL]).values()) {
    const former = images.sort((a, b) => b.Created - a.Created).slice(KEPT)
    for (const { Id, Created, RepoTags } of former)
      if (Created * 1000 < ago) await remove(docker, Id, RepoTags ?? [], ago).catch(() => {})
  }
}

async function remove(docker: Dockerode, id: string, tags: readonly string[], ago: number): Promise<void> {
  const named = tags.filter(tag => tag !== '<none>:<none>')
  // An image that somebody has built on an image of the suite has the label, too.
  if (!named.every(tag => OURS.test(tag))) return
  const told = await within(ANSWER, 'looking at an image', docker.getImage(id).inspect())
  // A build whose result exists already makes no image; it gives the old image another tag.
  if (Date.parse((told as Tagged).Metadata?.LastTagTime ?? '') > ago) return
  // By name, because the engine does not remove an image with several names by its id.
  for (const name of named.length > 0 ? named : [id])
    await within(ANSWER, 'removing an image', docker.getImage(name).remove())
}

/** Docker tells when an image got its last tag, Podman does not. */
interface Tagged {
  Metadata?: { LastTagTime?: string }
}
