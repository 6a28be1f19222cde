import assert from 'node:assert/strict'
import { disputed, PAIRS } from './truth.ts'

describe('the comparison of tools', () => {
  it('reads what sslscan prints', () => {
    const text = `Preferred TLSv1.3  256 bits  TLS_AES_256_GCM_SHA384        Curve 25519 DHE 253
Accepted  TLSv1.0  128 bits  AES128-SHA
Accepted  TLSv1.2  112 bits  TLS_RSA_WITH_3DES_EDE_CBC_SHA
  Heartbleed: TLSv1.2 not vulnerable
`
    assert.deepEqual(PAIRS.sslscan(text), [
      'TLSv1.3 TLS_AES_256_GCM_SHA384',
      'TLSv1 AES128-SHA',
      'TLSv1.2 DES-CBC3-SHA',
    ])
  })

  it('reads what testssl.sh writes as JSON', () => {
    const entry = (id: string, finding: string) =>
      JSON.stringify({ id, ip: 'mx/192.0.2.1', port: '25', severity: 'OK', finding }, null, 1)
    const text = [
      entry('service', 'SMTP'),
      entry(
        'cipher-tls1_2_xc030',
        'TLSv1.2   xc030   ECDHE-RSA-AES256-GCM-SHA384  ECDH 253 AESGCM 256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      ),
      entry('cipher-tls1_x2f', 'TLSv1   x2f   AES128-SHA  RSA  AES 128  TLS_RSA_WITH_AES_128_CBC_SHA'),
      entry('cipher_order', 'server'),
    ].join(',\n')
    assert.deepEqual(PAIRS['testssl.sh'](text), ['TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1 AES128-SHA'])
  })

  it('reads what the script around openssl prints', () => {
    assert.deepEqual(PAIRS.s_client('tls1 AES128-SHA\ntls1_3 TLS_AES_128_GCM_SHA256\n'), [
      'TLSv1 AES128-SHA',
      'TLSv1.3 TLS_AES_128_GCM_SHA256',
    ])
  })

  it('reads what sslyze writes as JSON', () => {
    const accepted = (...names: string[]) => ({
      result: { accepted_cipher_suites: names.map(name => ({ cipher_suite: { name, openssl_name: 'x' } })) },
    })
    const scan_result = {
      tls_1_0_cipher_suites: accepted('TLS_RSA_WITH_AES_128_CBC_SHA'),
      tls_1_3_cipher_suites: accepted('TLS_AES_128_GCM_SHA256'),
      ssl_2_0_cipher_suites: { result: null },
      heartbleed: null,
    }
    assert.deepEqual(PAIRS.sslyze(JSON.stringify({ server_scan_results: [{ scan_result }] })), [
      'TLSv1 AES128-SHA',
      'TLSv1.3 TLS_AES_128_GCM_SHA256',
    ])
    assert.deepEqual(PAIRS.sslyze('{"server_scan_results": []}'), [])
  })

  it('names the pairs on which the tools that were asked differ', () => {
    assert.deepEqual(disputed({ probe: ['a', 'b'], sslscan: ['b', 'c'] }), [
      { pair: 'a', by: ['probe'], notBy: ['sslscan'] },
      { pair: 'c', by: ['sslscan'], notBy: ['probe'] },
    ])
    assert.deepEqual(disputed({ probe: ['a'], s_client: ['a'] }), [])
    const [one] = disputed({ probe: [], s_client: ['a'] }, new Map([['a', 'it is chosen']]))
    assert.equal(one?.why, 'it is chosen')
    const why = (found: Parameters<typeof disputed>[0]) => disputed(found)[0]?.why
    assert.equal(why({ probe: ['TLSv1 DES-CBC3-SHA'], s_client: [] }), 'the OpenSSL of Debian has no 3DES')
    assert.equal(why({ probe: ['TLSv1 DES-CBC3-SHA'], s_client: [], sslscan: [] }), undefined)
  })
})
