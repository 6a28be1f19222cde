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
  it('is read if it fits its schema', () => {
    const text = 'name: top\nsince: 2026-11-21\nbooks:\n  - { title: Emma, kind: novel }\n'
    assert.deepEqual(parseYaml(text, 'shelf.yaml', shelf).value, {
      name: 'top',
      since: '2026-11-21',
      books: [{ title: 'Emma', kind: 'novel' }],
    })
  })

  it('has the place of an unknown key in the error, and the key that was probably meant', () => {
    refused(
      'name: top\nbooks:\n  - title: Emma\n    kind: novel\n    kinds: x\n',
      'shelf.yaml:5:5: books[0].kinds: unknown key; did you mean kind?',
    )
  })

  it('has the known keys in the error if none of them is similar', () => {
    refused(
      'name: top\nwhatever: 1\n',
      'shelf.yaml:2:1: whatever: unknown key; known here: name, since, books',
    )
  })

  it('has the place in the error where a key is missing', () => {
    refused('name: top\nbooks:\n  - title: Emma\n', 'shelf.yaml:3:5: books[0]: kind is missing')
  })

  it('has the place of a wrong value in the error, and the allowed values', () => {
    refused(
      'name: top\nbooks: [{ title: Emma, kind: poem }]\n',
      'shelf.yaml:2:30: books[0].kind: must be one of novel, manual, not "poem"',
    )
  })

  it('has advice in the error about a number that was meant as text', () => {
    refused('name: 3.10\n', 'shelf.yaml:1:7: name: must be a string, not 3.1; put it in quotes')
  })

  it('has the expected type in the error about an empty value', () => {
    refused('name: top\nbooks:\n', 'shelf.yaml:2:7: books: must be a list, not empty')
    refused('', 'shelf.yaml:1:1: must be a set of keys, not empty')
  })

  it('has the expected format in the error about a value', () => {
    refused('name: top\nsince: yesterday\n', 'shelf.yaml:2:8: since: must be a date, not "yesterday"')
  })

  it('has all problems in the error, in the order of the file', () => {
    refused(
      'name: 1\nbooks:\n  - title: X\n    kind: novel\n    pages: 3\n',
      [
        'shelf.yaml:1:7: name: must be a string, not 1; put it in quotes',
        'shelf.yaml:3:12: books[0].title: must NOT have fewer than 3 characters',
        'shelf.yaml:5:5: books[0].pages: unknown key; known here: title, kind',
      ].join('\n'),
    )
  })

  it('has the place behind an alias in the error', () => {
    refused(
      'name: top\nbooks:\n  - &emma\n    title: Emma\n    kind: poem\n  - *emma\n',
      [
        'shelf.yaml:5:11: books[0].kind: must be one of novel, manual, not "poem"',
        'shelf.yaml:5:11: books[1].kind: must be one of novel, manual, not "poem"',
      ].join('\n'),
    )
  })

  it('has only the number of further problems in the error, after the first twenty', () => {
    const extra = Array.from({ length: 25 }, (_, index) => `extra_number_${index}: 1`).join('\n')
    refused(`name: top\n${extra}\n`, /shelf.yaml: and 5 more$/)
  })

  it('is refused with the place of the mistake if it is not YAML', () => {
    refused('name: [top\n', /^shelf.yaml:2:1: not valid YAML: /)
    refused('name: top\nname: bottom\n', /^shelf.yaml:2:1: not valid YAML: Map keys must be unique/)
  })

  it('is refused if an alias has no anchor, or if there are too many aliases', () => {
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

  it('has advice in the error about an IPv6 address without quotes', () => {
    const unexpected = 'not valid YAML: Unexpected scalar at node end; an IPv6 address needs quotes'
    refused('name: [::1]:25\n', `shelf.yaml:1:12: ${unexpected}`)
    refused('books:\n  - [2001:db8::1]:25\n', `shelf.yaml:2:18: ${unexpected}`)
    refused(
      'name: top\nbooks: [[fe80::1%eth0]:25]\n',
      'shelf.yaml:2:9: a key must be text; an IPv6 address needs quotes',
    )
    refused('name: [one]:25\n', 'shelf.yaml:1:12: not valid YAML: Unexpected scalar at node end')
  })

  it('can report a problem at a place, for rules that a schema cannot express', () => {
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

  it('that does not exist is an input error', () => {
    assert.throws(() => readYaml('/nowhere/shelf.yaml', shelf), {
      name: 'InputError',
      message: '/nowhere/shelf.yaml: there is no such file',
    })
  })

  it('that cannot be read is an input error', () => {
    assert.throws(() => readYaml(tmpdir(), shelf), { name: 'InputError', message: /EISDIR/ })
  })

  it('is read from a folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'yaml-file-'))
    try {
      writeFileSync(join(folder, 'shelf.yaml'), 'name: top\n')
      assert.deepEqual(readYaml(join(folder, 'shelf.yaml'), shelf).value, { name: 'top' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
