import assert from 'node:assert/strict'
import { withALabels, withULabels } from './a-labels.ts'

describe('The domain of an address', () => {
  const FORMS: [written: string, withALabels: string][] = [
    ['inbox@bücher.test', 'inbox@xn--bcher-kva.test'],
    ['inbox@mx.BÜCHER.test', 'inbox@mx.xn--bcher-kva.test'],
    ['inbox@b\\xc3\\xbccher.test', 'inbox@xn--bcher-kva.test'],
    ['grüße@bücher.test', 'grüße@xn--bcher-kva.test'],
    ['grüße@example.test', 'grüße@example.test'],
    ['inbox@Example.test', 'inbox@Example.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['inbox@bü cher.test', 'inbox@bü cher.test'],
    ['', ''],
  ]
  for (const [written, form] of FORMS)
    it(`has A-labels in the DNS: ${written || 'none'}`, () => assert.equal(withALabels(written), form))

  it('can be written with U-labels', () => {
    assert.equal(withULabels('inbox@mx.xn--bcher-kva.test'), 'inbox@mx.bücher.test')
    assert.equal(withULabels('inbox@d1.test'), 'inbox@d1.test')
  })
})
