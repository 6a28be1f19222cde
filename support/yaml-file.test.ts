import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from './input-error.ts'
import { parseYaml, readYaml, schemaOf } from './yaml-file.ts'

interface Shelf {
  name: string
  since?: string
  books?: { title: string; kind: 'novel' | 'manual' }[]
}

const shelf = schemaOf<Shelf>({
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string' },
    since: { type: 'string', format: 'date' },
    books: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['title', 'kind'],
        properties: { title: { type: 'string', minLength: 3 }, kind: { enum: ['novel', 'manual'] } },
      },
    },
  },
})

function refused(text: string, expected: string | RegExp) {
  assert.throws(
    () => parseYaml(text, 'shelf.yaml', shelf),
    error => {
      assert.ok(error instanceof InputError, String(error))
      if (typeof expected === 'string') assert.equal(error.message, expected)
      else assert.match(error.message, expected)
      return true
    },
  )
}

describe('a YAML file', () => {
  it('is read as its schema says', () => {
    const text = 'name: top\nsince: 2026-11-21\nbooks:\n  - { title: Emma, kind: novel }\n'
    assert.deepEqual(parseYaml(text, 'shelf.yaml', shelf).value, {
      name: 'top',
      since: '2026-11-21',
      books: [{ title: 'Emma', kind: 'novel' }],
    })
  })

  it('points at an unknown key and names the one that was meant', () => {
    refused(
      'name: top\nbooks:\n  - title: Emma\n    kind: novel\n    kinds: x\n',
      'shelf.yaml:5:5: books[0].kinds: unknown key; did you mean kind?',
    )
  })

  it('lists the known keys where none is near', () => {
    refused(
      'name: top\nwhatever: 1\n',
      'shelf.yaml:2:1: whatever: unknown key; known here: name, since, books',
    )
  })

  it('points at the thing that lacks a key', () => {
    refused('name: top\nbooks:\n  - title: Emma\n', 'shelf.yaml:3:5: books[0]: kind is missing')
  })

  it('points at a value and says what it may be', () => {
    refused(
      'name: top\nbooks: [{ title: Emma, kind: poem }]\n',
      'shelf.yaml:2:30: books[0].kind: must be one of novel, manual, not "poem"',
    )
  })

  it('says how to write a number that is meant as text', () => {
    refused('name: 3.10\n', 'shelf.yaml:1:7: name: must be a string, not 3.1; put it in quotes')
  })

  it('says what an empty value should have been', () => {
    refused('name: top\nbooks:\n', 'shelf.yaml:2:7: books: must be a list, not empty')
    refused('', 'shelf.yaml:1:1: must be a set of keys, not empty')
  })

  it('says which format a value lacks', () => {
    refused('name: top\nsince: yesterday\n', 'shelf.yaml:2:8: since: must be a date, not "yesterday"')
  })

  it('gives all problems in the order of the file', () => {
    refused(
      'name: 1\nbooks:\n  - title: X\n    kind: novel\n    pages: 3\n',
      [
        'shelf.yaml:1:7: name: must be a string, not 1; put it in quotes',
        'shelf.yaml:3:12: books[0].title: must NOT have fewer than 3 characters',
        'shelf.yaml:5:5: books[0].pages: unknown key; known here: title, kind',
      ].join('\n'),
    )
  })

  it('points through an alias at what it stands for', () => {
    refused(
      'name: top\nbooks:\n  - &emma\n    title: Emma\n    kind: poem\n  - *emma\n',
      [
        'shelf.yaml:5:11: books[0].kind: must be one of novel, manual, not "poem"',
        'shelf.yaml:5:11: books[1].kind: must be one of novel, manual, not "poem"',
      ].join('\n'),
    )
  })

  it('only counts what is more than a screen', () => {
    const extra = Array.from({ length: 25 }, (_, index) => `extra_number_${index}: 1`).join('\n')
    refused(`name: top\n${extra}\n`, /shelf.yaml: and 5 more$/)
  })

  it('is refused with its place when it is not YAML', () => {
    refused('name: [top\n', /^shelf.yaml:2:1: not valid YAML: /)
    refused('name: top\nname: bottom\n', /^shelf.yaml:2:1: not valid YAML: Map keys must be unique/)
  })

  it('is refused when an alias has no anchor or too many', () => {
    refused(
      'name: *nobody\nbooks:\n  - title: Emma\n    kind: *.novel\n  - *some\n',
      [
        'shelf.yaml:1:7: name: begins with *; put "*nobody" in quotes',
        'shelf.yaml:4:11: books[0].kind: begins with *; put "*.novel" in quotes',
        'shelf.yaml:5:5: books[1]: begins with *; put "*some" in quotes',
      ].join('\n'),
    )
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [from, to] of ['ab', 'bc', 'cd', 'de']) bomb.push(`${to}: &${to} [${`*${from},`.repeat(10)}]`)
    refused(bomb.join('\n'), /not usable YAML: Excessive alias count/)
  })

  it('says that an IPv6 address with a port needs quotes', () => {
    const unexpected = 'not valid YAML: Unexpected scalar at node end; an IPv6 address needs quotes'
    refused('name: [::1]:25\n', `shelf.yaml:1:12: ${unexpected}`)
    refused('books:\n  - [2001:db8::1]:25\n', `shelf.yaml:2:18: ${unexpected}`)
    refused(
      'name: top\nbooks: [[fe80::1%eth0]:25]\n',
      'shelf.yaml:2:9: a key must be text; an IPv6 address needs quotes',
    )
    refused('name: [one]:25\n', 'shelf.yaml:1:12: not valid YAML: Unexpected scalar at node end')
  })

  it('can be pointed at for what a schema cannot say', () => {
    const file = parseYaml('name: top\nbooks:\n  - title: Emma\n    kind: novel\n', 'shelf.yaml', shelf)
    assert.equal(
      file.problem(['books', 0, 'title'], 'is not on the shelf').message,
      'shelf.yaml:3:12: books[0].title: is not on the shelf',
    )
    assert.equal(
      file.problem(['books', 0, 'title'], 'is odd', 'key').message,
      'shelf.yaml:3:5: books[0].title: is odd',
    )
    assert.equal(file.problem([], 'is dusty').message, 'shelf.yaml:1:1: is dusty')
    assert.equal(file.problem(['books', 0, 'author'], 'is unknown').message.split(' ')[0], 'shelf.yaml:3:5:')
  })

  it('that is not there is an input error', () => {
    assert.throws(() => readYaml('/nowhere/shelf.yaml', shelf), {
      name: 'InputError',
      message: '/nowhere/shelf.yaml: there is no such file',
    })
  })

  it('that cannot be read is an input error', () => {
    assert.throws(() => readYaml(tmpdir(), shelf), { name: 'InputError', message: /EISDIR/ })
  })

  it('is read from its place', () => {
    const folder = mkdtempSync(join(tmpdir(), 'yaml-file-'))
    try {
      writeFileSync(join(folder, 'shelf.yaml'), 'name: top\n')
      assert.deepEqual(readYaml(join(folder, 'shelf.yaml'), shelf).value, { name: 'top' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
