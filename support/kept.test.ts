import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kept } from './kept.ts'

describe('what is kept for the next process', () => {
  let packages: string
  let made: number
  const read = (of: string) =>
    kept(
      of,
      () => {
        made++
        return { of, words: new Set(of.split(' ')) }
      },
      packages,
    )
  const files = () => readdirSync(join(packages, '.cache/mail-tls'))
  beforeEach(() => {
    packages = mkdtempSync(join(tmpdir(), 'kept-'))
    made = 0
  })
  afterEach(() => rmSync(packages, { recursive: true, force: true }))

  it('is made once, and again where what it is made of has changed', () => {
    for (const text of ['a b', 'a b', 'a c', 'a c'])
      assert.deepEqual(read(text), { of: text, words: new Set(text.split(' ')) })
    assert.equal(made, 2)
    assert.equal(files().length, 2)
  })

  it('is made again where it cannot be read', () => {
    read('a b')
    for (const name of files()) writeFileSync(join(packages, '.cache/mail-tls', name), 'half')
    assert.deepEqual(read('a b').words, new Set(['a', 'b']))
    assert.equal(made, 2)
  })

  it('is made each time where there is no checkout, and where nobody may write', () => {
    writeFileSync(join(packages, '.cache'), 'no folder')
    for (const _ of [1, 2]) assert.equal(read('a b').of, 'a b')
    rmSync(packages, { recursive: true })
    assert.equal(read('a b').of, 'a b')
    assert.equal(made, 3)
    mkdirSync(packages)
  })
})
