import assert from 'node:assert/strict'
import { fitted, wrapped } from './columns.ts'

describe('text that fits', () => {
  it('is cut before the character that has no room, which may be two columns wide', () => {
    assert.equal(fitted('abcd', 4), 'abcd')
    assert.equal(fitted('abcde', 4), 'abc…')
    assert.equal(fitted('漢字漢', 5), '漢字…')
    assert.equal(fitted('漢字', 3), '漢…')
    assert.equal(fitted('🚀🚀', 2), '…')
    assert.equal(fitted('ae\u0301bc', 3), 'ae\u0301…')
  })

  it('is wrapped between words, in lines of which all but the first are indented', () => {
    assert.equal(wrapped('one two three', 9), 'one two\nthree')
    assert.equal(wrapped('one two three', 9, 2), 'one two\n  three')
    assert.equal(wrapped(' one\ttwo\nthree ', 20), 'one two three')
    assert.equal(wrapped('one  two three', 9), 'one  two\nthree')
    assert.equal(wrapped('', 9), '')
  })

  it('breaks only a word that is longer than a line', () => {
    assert.equal(wrapped('abcdef g', 5, 1), 'abcd\n ef g')
    assert.equal(wrapped('漢字漢字', 5), '漢字\n漢字')
  })
})
