import assert from 'node:assert/strict'
import { columnsOf, fitted, wrapped } from './columns.ts'

describe('text that fits', () => {
  it('counts wide characters twice and attached ones not at all', () => {
    assert.equal(columnsOf('abc'), 3)
    assert.equal(columnsOf('漢字'), 4)
    assert.equal(columnsOf('한국'), 4)
    assert.equal(columnsOf('e\u0301'), 1)
    assert.equal(columnsOf('🚀'), 2)
    assert.equal(columnsOf('❤\ufe0f'), 2)
    assert.equal(columnsOf('…✗━'), 3)
  })

  it('is cut before the character that has no room', () => {
    assert.equal(fitted('abcd', 4), 'abcd')
    assert.equal(fitted('abcde', 4), 'abc…')
    assert.equal(fitted('漢字漢', 5), '漢字…')
    assert.equal(fitted('漢字', 3), '漢…')
    assert.equal(fitted('🚀🚀', 2), '…')
    assert.equal(fitted('ae\u0301bc', 3), 'ae\u0301…')
  })

  it('is wrapped between words', () => {
    assert.equal(wrapped('one two three', 9), 'one two\nthree')
    assert.equal(wrapped('one two three', 9, 2), 'one two\n  three')
    assert.equal(wrapped('one two three', 12, 2, 8), 'one\n  two three')
    assert.equal(wrapped(' one \n\t two ', 9), 'one two')
    assert.equal(wrapped('', 9), '')
  })

  it('breaks only a word that is longer than a line', () => {
    assert.equal(wrapped('a abcdefgh', 4), 'a\nabcd\nefgh')
    assert.equal(wrapped('abcdef g', 4, 1), 'abc\n def\n g')
    assert.equal(wrapped('abcd', 6, 1, 4), '\n abcd')
    assert.equal(wrapped('漢字漢字', 5), '漢字\n漢字')
  })
})
