import type { Dockerode } from './client.ts'
import { ANSWER, within } from './failure.ts'

/** On every image of ours, and on the stages that some are built from: what it is of. */
export const IMAGE_LABEL = 'mail-tls.image'

/** So many of each are kept, whatever their age: checkouts of several versions share an engine. */
const KEPT = 3
/** What was made or asked for since is kept, in ms. */
const DAY = 24 * 60 * 60 * 1000
/** Podman puts a registry before every name. */
const OURS = /^(localhost\/)?mail-tls\//

/** Removes images of ours that nobody is likely to need again. What a container uses stays: the engine sees to that. */
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
  // What somebody has built on one of ours has its label, too.
  if (!named.every(tag => OURS.test(tag))) return
  const told = await within(ANSWER, 'looking at an image', docker.getImage(id).inspect())
  // A build of what was built before makes no image, and gives an old one another tag.
  if (Date.parse((told as Tagged).Metadata?.LastTagTime ?? '') > ago) return
  // By name, because the engine does not remove an image with several of them by its id.
  for (const name of named.length > 0 ? named : [id])
    await within(ANSWER, 'removing an image', docker.getImage(name).remove())
}

/** Docker tells it, Podman does not. */
interface Tagged {
  Metadata?: { LastTagTime?: string }
}
