import assert from 'node:assert/strict'
import { edited, type Part, withLines } from './edits.ts'

const TEXT = 'a = 1\nb = 2\n[out]\na = 3\n[in]\n  a = 4\n'
const SETTING = '^\\s*\\w+ ='

describe('lines for a part of a file', () => {
  const cases: [what: string, part: Omit<Part, 'file'>, lines: string[], expected: string][] = [
    ['come first', {}, ['a = 9'], `a = 9\n${TEXT}`],
    ['come last', { at: 'end' }, ['a = 9'], `${TEXT}a = 9\n`],
    [
      'take the place of the same setting',
      { setting: SETTING, to: '^\\[' },
      ['b = 9', 'c = 9'],
      'c = 9\na = 1\nb = 9\n[out]\na = 3\n[in]\n  a = 4\n',
    ],
    [
      'take the place of all lines of a setting',
      { setting: SETTING },
      ['a = 9'],
      'a = 9\nb = 2\n[out]\n[in]\n',
    ],
    [
      'are indented like the line whose place they take',
      { setting: SETTING, from: '^\\[in' },
      ['a = 9'],
      'a = 1\nb = 2\n[out]\na = 3\n[in]\n  a = 9\n',
    ],
    [
      'stay behind the line with which the part begins',
      { setting: SETTING, from: '^\\[out', to: '^\\[' },
      ['c = 9', 'a = 9'],
      'a = 1\nb = 2\n[out]\nc = 9\na = 9\n[in]\n  a = 4\n',
    ],
    ['reach the end of the file', { from: '^\\[in', at: 'end' }, ['c = 9'], `${TEXT}c = 9\n`],
    ['replace each other', { setting: SETTING, to: '^\\[' }, ['c = 8', 'c = 9'], `c = 9\n${TEXT}`],
  ]
  for (const [what, part, lines, expected] of cases)
    it(what, () => assert.equal(withLines(TEXT, { file: 'f', ...part }, lines), expected))

  it('must have their file and the line with which the part begins', () => {
    const edit = (file: string) => [{ part: { file, from: '^none' }, lines: ['x'] }]
    assert.throws(() => edited([{ path: 'f', content: TEXT }], edit('f')), /f has no line \^none/)
    assert.throws(() => edited([{ path: 'f', content: TEXT }], edit('g')), /there is no file g/)
  })
})
