import assert from 'node:assert/strict'
import { orderOf } from './order.ts'

describe('mail-tls check --partner-as', () => {
  it('judges any gateway by the profile of the text, among partners that play the service', () => {
    const { source, profiles, dir } = orderOf('exim', { partnerAs: 'exchange-online-2018' })
    assert.deepEqual(
      [source.peersAs, profiles, dir],
      ['exchange-online-2018', ['exchange-online-2018'], 'reports/exim-partner-as-exchange-online-2018'],
    )
  })

  it('knows the same texts', () => {
    assert.throws(() => orderOf('exim', { partnerAs: 'gmail' }), {
      name: 'InputError',
      message: /^--partner-as gmail: it must be one of exchange-online-2018/,
    })
  })
})

describe('mail-tls check --as', () => {
  const order = (target: string, as: string) => orderOf(target, { as })
  const refused = (target: string, as: string, message: RegExp) =>
    assert.throws(() => order(target, as), { name: 'InputError', message })

  it('judges a bundled gateway by the profile of the text, under a name of its own', () => {
    const { source, profiles, dir, selection } = order('postfix@bookworm', 'exchange-online-2021')
    assert.deepEqual(
      [source.name, source.service, profiles, dir],
      [
        'postfix@bookworm-as-exchange-online-2021',
        'exchange-online-2021',
        ['exchange-online-2021'],
        'reports/postfix@bookworm-as-exchange-online-2021',
      ],
    )
    assert.ok(selection.some(({ requirement }) => requirement === 'EXO-CRT-01'))
  })

  it('judges by other profiles if they are named', () => {
    const { profiles } = orderOf('haraka', { as: 'exchange-online-2018', profile: ['starttls-base'] })
    assert.deepEqual(profiles, ['starttls-base'])
  })

  it('knows three texts, and suggests the one that is meant', () => {
    refused(
      'postfix',
      'exchange-online-2012',
      /no such text of the service; did you mean exchange-online-2018\?/,
    )
    refused(
      'postfix',
      'gmail',
      /must be one of exchange-online-2018, exchange-online-2021, exchange-online-current/,
    )
  })

  it('is for gateways that the suite starts', () =>
    refused(
      'smtp://127.0.0.1',
      'exchange-online-2021',
      /cannot set up smtp:\/\/127\.0\.0\.1, which it does not start; --profile exchange-online-2021 judges it .* haraka, postfix, sendmail, reference can/,
    ))

  it('is for products that can be told a list of suites', () =>
    refused(
      'opensmtpd',
      'exchange-online-2021',
      /opensmtpd cannot stand in for the service; haraka, postfix, sendmail, reference can/,
    ))
})
