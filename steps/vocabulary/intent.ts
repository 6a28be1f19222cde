import { isDeepStrictEqual } from 'node:util'

/** One value that a Given has set, with the sentence that set it. */
interface Leaf {
  value: unknown
  sentence: string
}

/** Part of a subject; an element of a set is added to those that are there. */
type Patch<T> = T extends ReadonlySet<unknown> ? T : T extends object ? { [K in keyof T]?: Patch<T[K]> } : T

/**
 * What the Givens of one example ask for, by subject: the partner, the client, the message, … Givens add up: each sets
 * values of its own. Every value must be read by the time the example is over, or its Given has said nothing.
 */
export class Intent<Subjects extends object> {
  /** The Given that speaks now. */
  sentence = ''
  readonly #leaves = new Map<string, Leaf>()
  readonly #read = new Set<string>()

  /** Throws where the patch sets what is set already, or sets nothing at all. */
  add<S extends keyof Subjects & string>(subject: S, patch: Patch<Subjects[S]>): void {
    const leaves = leavesOf([subject], patch)
    if (leaves.length === 0) throw new Error(`"${this.sentence}" changes nothing`)
    for (const [path, value] of leaves) {
      const earlier = this.#leaves.get(path)
      if (earlier) {
        const what = isDeepStrictEqual(earlier.value, value) ? 'says again what' : 'contradicts what'
        throw new Error(`"${this.sentence}" ${what} "${earlier.sentence}" says`)
      }
      this.#leaves.set(path, { value, sentence: this.sentence })
    }
  }

  /** What was said of a subject, or of these keys of it alone; counts as read. */
  read<S extends keyof Subjects & string, K extends keyof Subjects[S] & string>(
    subject: S,
    ...keys: K[]
  ): Partial<Subjects[S]> {
    const said: Tree = {}
    for (const [path, { value }] of this.#leaves) {
      const [of, ...rest] = JSON.parse(path) as string[]
      if (of !== subject || (keys.length > 0 && !keys.includes(rest[0] as K))) continue
      this.#read.add(path)
      put(said, rest, value)
    }
    return said as Partial<Subjects[S]>
  }

  /** The paths of all that was said of a subject, such as `always.tls.maxVersion`. They do not count as read. */
  said(subject: keyof Subjects & string): string[] {
    return [...this.#leaves.keys()]
      .map(path => JSON.parse(path) as string[])
      .flatMap(([of, ...rest]) => (of === subject ? [rest.join('.')] : []))
  }

  /** The sentences that set a value which nothing read, in their order. */
  get unread(): string[] {
    const unread = [...this.#leaves].filter(([path]) => !this.#read.has(path))
    return [...new Set(unread.map(([, { sentence }]) => sentence))]
  }
}

interface Tree {
  [key: string]: unknown
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Paths as JSON, so that no name of a key can be taken for two. An element of a set has its set as value. */
function leavesOf(path: string[], value: unknown): [path: string, value: unknown][] {
  if (value === undefined) return []
  if (value instanceof Set)
    return [...value].map(one => [JSON.stringify([...path, String(one)]), new Set([one])])
  if (!isTree(value)) return [[JSON.stringify(path), value]]
  return Object.entries(value).flatMap(([key, part]) => leavesOf([...path, key], part))
}

function put(tree: Tree, path: string[], value: unknown): void {
  const [key, ...rest] = value instanceof Set ? path.slice(0, -1) : path
  if (rest.length > 0) {
    tree[key!] ??= {}
    put(tree[key!] as Tree, value instanceof Set ? [...rest, ''] : rest, value)
  } else if (value instanceof Set) tree[key!] = new Set([...((tree[key!] as Set<unknown>) ?? []), ...value])
  else tree[key!] = value
}
