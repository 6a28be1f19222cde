import assert from 'node:assert/strict'
import type { Dockerode } from './client.ts'
import { prune } from './prune.ts'

/** In days. */
interface Image {
  of: string
  age: number
  tags?: string[]
  tagged?: number
  used?: boolean
}

const daysAgo = (days: number) => Date.now() - days * 24 * 60 * 60 * 1000

/** What is removed where the engine has these images. */
async function removed(images: Record<string, Image>): Promise<string[]> {
  const gone: string[] = []
  const named = (name: string) =>
    images[name] ?? Object.values(images).find(({ tags }) => tags?.includes(name))!
  const docker = {
    async listImages({ filters }: { filters: { label: string[] } }) {
      assert.deepEqual(filters, { label: ['mail-tls.image'] })
      return Object.entries(images).map(([Id, { of, age, tags }]) => ({
        Id,
        Labels: { 'mail-tls.image': of },
        Created: daysAgo(age) / 1000,
        RepoTags: tags ?? ['<none>:<none>'],
      }))
    },
    getImage: (name: string) => ({
      async inspect() {
        const { tagged } = named(name)
        return tagged === undefined ? {} : { Metadata: { LastTagTime: new Date(daysAgo(tagged)).toJSON() } }
      },
      async remove(options?: { force?: boolean }) {
        assert.ok(!options?.force)
        if (named(name).used) throw new Error('a container uses it')
        gone.push(name)
      },
    }),
  }
  await prune(docker as unknown as Dockerode)
  return gone
}

const several = (of: string, ages: number[]): Record<string, Image> =>
  Object.fromEntries(ages.map(age => [`${of} ${age}`, { of, age, tags: [`mail-tls/${of}:${age}`] }]))

describe('old images', () => {
  it('go but for the three newest of each', async () => {
    const images = { ...several('lab', [9, 2, 5, 3, 4]), ...several('names', [9, 8, 7]) }
    assert.deepEqual((await removed(images)).sort(), ['mail-tls/lab:5', 'mail-tls/lab:9'])
  })

  it('stay where they were made within a day, or given a tag', async () => {
    const images = several('lab', [0.1, 0.2, 0.3, 0.4, 0.9, 2, 3])
    images['lab 2']!.tagged = 0.5
    images['lab 3']!.tagged = 3
    assert.deepEqual(await removed(images), ['mail-tls/lab:3'])
  })

  it('stay where a container uses them, and keep no others', async () => {
    const images = several('lab', [2, 3, 4, 5, 6])
    images['lab 5']!.used = true
    assert.deepEqual(await removed(images), ['mail-tls/lab:6'])
  })

  it('go by all their names, or by their id where they have none', async () => {
    const images = several('mox-build', [2, 3, 4, 5, 6])
    images['mox-build 5']!.tags = ['mail-tls/a:1', 'localhost/mail-tls/a:2']
    delete images['mox-build 6']!.tags
    assert.deepEqual(await removed(images), ['mail-tls/a:1', 'localhost/mail-tls/a:2', 'mox-build 6'])
  })

  it('stay where somebody has given them a name, or built on them', async () => {
    const images = several('lab', [2, 3, 4, 5, 6])
    images['lab 5']!.tags!.push('precious:1')
    images['lab 6']!.tags = ['precious:2']
    assert.deepEqual(await removed(images), [])
  })
})
