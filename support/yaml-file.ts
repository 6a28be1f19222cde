import { readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml'
import yamlPackage from 'yaml/package.json' with { type: 'json' }
import { InputError } from './input-error.ts'
import { kept } from './kept.ts'
import { nearest } from './nearest.ts'

/** A place in a document, such as `['outbound', 'connectors', 0, 'tls']`. */
export type KeyPath = readonly (string | number)[]

/** Reads one value. An InputError gets the place of the key in the file. */
export type At = <T>(key: KeyPath, read: () => T) => T

/** A YAML file that its schema accepts. */
export interface YamlFile<T> {
  readonly value: T
  /** An error about the value (or its key) at `path` in this file, for a rule that a schema cannot express. */
  problem(path: KeyPath, message: string, what?: 'key'): InputError
}

/** The number of problems that one error lists. It only counts the others. */
const MAX_PROBLEMS = 20

const ajv = new Ajv({ allErrors: true, verbose: true, strict: true })
addFormats.default(ajv, ['date', 'uri'])

/** A JSON Schema (draft-07) for `readYaml`. It is compiled at the first use. */
export function schemaOf<T>(schema: SchemaObject): () => ValidateFunction<T> {
  let compiled: ValidateFunction<T> | undefined
  return () => {
    compiled ??= ajv.compile<T>(schema)
    return compiled
  }
}

/**
 * The first line of a YAML file with which editors find its schema: `schema` is a path in this package, which may be a
 * checkout or below node_modules.
 */
export function modeline(file: string, schema: string): string {
  const path = relative(dirname(resolve(file)), schema).replaceAll(sep, '/')
  return `# yaml-language-server: $schema=${path}\n`
}

/**
 * Reads a YAML 1.2 file. Throws InputError if the file cannot be read, is not YAML, or does not fit the schema. Each line
 * of the message is `file:line:column: key: what is wrong`, in the order of the file.
 */
export function readYaml<T>(file: string, schema: () => ValidateFunction<T>): YamlFile<T> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new InputError(`${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`)
  }
  return parseYaml(text, file, schema)
}

/** From so many characters on, reading the value takes so long that it is kept: 0.3 s for the catalogue. */
const KEPT_FROM = 4_000

/** Like `readYaml`, but for a given text. `file` is its name in messages. */
export function parseYaml<T>(text: string, file: string, schema: () => ValidateFunction<T>): YamlFile<T> {
  const source = sourceOf(text, file)
  const read = () => plainValue(source)
  const value = text.length < KEPT_FROM ? read() : kept(`yaml ${yamlPackage.version}\n${text}`, read)
  const validate = schema()
  if (!validate(value)) throw source.fail(validate.errors!.map(error => explain(source.document(), error)))
  return { value, problem: source.problem }
}

/** A text with the places in it. It is parsed when somebody asks for the document. */
function sourceOf(text: string, file: string) {
  const lines = new LineCounter()
  let parsed: Document.Parsed | undefined
  const document = (): Document.Parsed => {
    parsed ??= parseDocument(text, { lineCounter: lines, prettyErrors: false })
    return parsed
  }
  const fail = (problems: Problem[]) => {
    const sorted = problems.sort((a, b) => a.offset - b.offset)
    const told = sorted.slice(0, MAX_PROBLEMS).map(({ offset, message }) => {
      const { line, col } = lines.linePos(offset)
      return `${file}:${line}:${col}: ${message}`
    })
    if (sorted.length > told.length) told.push(`${file}: and ${sorted.length - told.length} more`)
    return new InputError([...new Set(told)].join('\n'))
  }
  const problem = (path: KeyPath, message: string, what?: 'key') =>
    fail([problemAt(document(), path, message, what)])
  return { text, document, fail, problem }
}

/** The value of a text, whatever its schema. Throws InputError for what is not YAML, or was meant otherwise. */
function plainValue({ text, document, fail, problem }: ReturnType<typeof sourceOf>): unknown {
  const { errors } = document()
  if (errors.length > 0)
    throw fail(
      errors.map(({ pos: [offset], message }) => {
        const advice = IPV6_IN_BRACKETS.test(text.slice(0, offset)) ? QUOTES_FOR_IPV6 : ''
        return { offset, message: `not valid YAML: ${message}${advice}` }
      }),
    )
  const unquoted = missingQuotes(document(), text)
  if (unquoted.length > 0) throw fail(unquoted)
  try {
    return document().toJS()
  } catch (error) {
    // The document has so many aliases that they would fill the memory.
    throw problem([], `not usable YAML: ${(error as Error).message}`)
  }
}

interface Problem {
  /** Where the problem is, from the beginning of the text in UTF-16 units. */
  offset: number
  message: string
}

function problemAt(document: Document.Parsed, path: KeyPath, message: string, what?: 'key'): Problem {
  return {
    offset: offsetOf(document, path, what),
    message: path.length > 0 ? `${keyName(path)}: ${message}` : message,
  }
}

/** An IPv6 address in brackets, which YAML reads as a list. */
const IPV6_IN_BRACKETS = /\[[\da-f.]*:[\da-f:.]*(?:%\w+)?\]$/i
const QUOTES_FOR_IPV6 = '; an IPv6 address needs quotes'

/** Values that the user meant as text but YAML reads as an alias or a list, because they have no quotes. */
function missingQuotes(document: Document.Parsed, text: string): Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Alias(_, alias, around) {
      if (alias.resolve(document)) return
      const path = around.flatMap((node, index): (string | number)[] => {
        if (isPair(node)) return [String(node.key)]
        return isSeq(node) ? [node.items.indexOf(around[index + 1] ?? alias)] : []
      })
      problems.push(problemAt(document, path, `begins with *; put "*${alias.source}" in quotes`))
    },
    Pair(_, { key }) {
      if (!isCollection(key) || !key.range) return
      const advice = IPV6_IN_BRACKETS.test(text.slice(key.range[0], key.range[1])) ? QUOTES_FOR_IPV6 : ''
      problems.push({ offset: key.range[0], message: `a key must be text${advice}` })
    },
  })
  return problems
}

/** The schema error in words, with the place of the wrong key or value. */
function explain(
  document: Document.Parsed,
  { instancePath, keyword, params, ...error }: ErrorObject,
): Problem {
  const path = pathOf(instancePath)
  const told = problemAt.bind(undefined, document)
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty'])
      const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
      const near = nearest(key, known, 1)
      const advice = near.length > 0 ? `did you mean ${near[0]}?` : `known here: ${known.join(', ')}`
      return told([...path, key], `unknown key; ${advice}`, 'key')
    }
    case 'required':
      return told(path, `${params['missingProperty']} is missing`)
    case 'enum':
      return told(path, `must be one of ${params['allowedValues'].join(', ')}, not ${shown(error.data)}`)
    case 'type': {
      const advice = params['type'] === 'string' && typeof error.data === 'number' ? '; put it in quotes' : ''
      return told(path, `must be ${article(params['type'])}, not ${shown(error.data)}${advice}`)
    }
    case 'format':
      return told(path, `must be a ${params['format']}, not ${shown(error.data)}`)
    default:
      return told(path, error.message ?? keyword)
  }
}

const NAMES: Record<string, string> = { array: 'a list', object: 'a set of keys', integer: 'a whole number' }

function article(type: string | string[]): string {
  return [type]
    .flat()
    .map(name => NAMES[name] ?? `a ${name}`)
    .join(' or ')
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a set of keys'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The path of a JSON Pointer (RFC 6901), in which `~1` is a slash and `~0` a tilde. */
function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** `outbound.connectors[0].tls` */
function keyName(path: KeyPath): string {
  return path.reduce<string>((name, part) => {
    if (/^\d+$/.test(String(part))) return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${part}`
  }, '')
}

/** Where the value at `path`, or its key, begins. If it is missing, where the nearest node around it begins. */
function offsetOf(document: Document.Parsed, path: KeyPath, what: 'value' | 'key' = 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    let key: unknown
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      key = pair?.key
      node = pair?.value
    } else node = isSeq(node) ? node.items[Number(part)] : undefined
    offset = startOf(key) ?? offset
    if (what === 'value' || index < path.length - 1) offset = startOf(node) ?? offset
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}
