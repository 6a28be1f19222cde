import assert from 'node:assert/strict'
import { clipped, visible, visibleLine } from './visible.ts'

describe('visible', () => {
  it('shows what hides', () => {
    assert.equal(visible('a\u0000b\u001b[31m\r'), 'a\\x00b\\x1b[31m\\x0d')
    assert.equal(visible('\u202egnp\u200b\ufeff'), '\\u{202e}gnp\\u{200b}\\u{feff}')
    assert.equal(visible('\ud800 \ufffe'), '\\u{d800} \\u{fffe}')
  })

  it('leaves text in any language alone, and its lines', () => {
    assert.equal(visible('grüße, 日本語 ✓ 😀\n\tx'), 'grüße, 日本語 ✓ 😀\n\tx')
  })

  it('keeps a line a line', () => {
    assert.equal(visibleLine('250 ok\n\tforged'), '250 ok\\n\\tforged')
  })
})

describe('clipped', () => {
  it('counts what it cuts', () => {
    assert.equal(clipped('abcdef', 6), 'abcdef')
    assert.equal(clipped(`abcde${'x'.repeat(40)}`, 6), 'abcde… (40 more characters)')
  })

  it('cuts no character in two', () => {
    assert.equal(clipped(`abcd😀${'x'.repeat(40)}`, 6), 'abcd… (42 more characters)')
  })

  it('never cuts for less than the notice costs', () => {
    const text = (cut: number) => `abcde${'x'.repeat(cut)}`
    assert.equal(clipped(text(22), 6), text(22))
    assert.equal(clipped(text(23), 6), 'abcde… (23 more characters)')
  })
})
