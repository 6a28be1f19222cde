import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { WriteStream } from 'node:tty'
import { VERDICTS } from '../verdicts/verdict.ts'
import { lookOf, markOf } from './terminal.ts'

describe('the look of text', () => {
  const before = { ...process.env }
  beforeEach(() => {
    delete process.env['NO_COLOR']
  })
  afterEach(() => {
    process.env = { ...before }
  })
  const terminal = (columns: number) =>
    Object.assign(Object.create(WriteStream.prototype), { isTTY: true, columns }) as WriteStream
  const pipe = () => new PassThrough() as unknown as WriteStream

  it('has colour and its width on a terminal', () => {
    assert.deepEqual(lookOf(terminal(132)), { colour: true, columns: 132 })
  })

  it('has neither in a pipe, in CI as well', () => {
    process.env['CI'] = 'true'
    assert.deepEqual(lookOf(pipe()), { colour: false, columns: 80 })
  })

  it('has no colour where nobody wants it', () => {
    process.env['NO_COLOR'] = '1'
    assert.equal(lookOf(terminal(80)).colour, false)
  })

  it('tells verdicts apart without colour, but for the two that fail alike', () => {
    const marks = VERDICTS.map(markOf)
    assert.equal(new Set(marks).size, marks.length - 1)
    assert.equal(markOf('stale'), markOf('non-conformant'))
  })
})
