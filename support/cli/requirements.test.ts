import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import { type Dimension, loadDimensions } from '../circumstances/dimensions.ts'
import { type Knowledge, requirementPage, requirementsJson, requirementsList } from './requirements.ts'

const catalogue = loadCatalogue()

const rule = (requirement: string, line: number, examples: number): FeatureRule => ({
  uri: 'features/outbound/forced-tls.feature',
  line,
  name: 'Without STARTTLS on the other side, forced mail stays queued',
  description: '',
  requirement,
  role: 'sender',
  examples: Array.from({ length: examples }, (_, index) => ({
    line: line + index,
    name: 'x',
    tags: new Set<string>(),
    control: index === 0,
    steps: [],
  })),
})

const dimension = (role: Dimension['role'], name: string, ...mattersTo: string[]): Dimension => ({
  ...{ name, role, plain: 'as usual' },
  values: [
    { value: 'no', mattersTo: [] },
    { value: 'often', needs: 'CHUNKING', mattersTo },
  ].map(one => ({
    name: `${name}: ${one.value}`,
    dimension: name,
    source: 'RFC 5321 s4.2',
    sets: {},
    ...one,
  })),
})

const few: Knowledge = {
  catalogue: {
    ...catalogue,
    requirements: ['EXO-FRC-01', 'EXO-FRC-03', 'DANE-15', 'DANE-01'].map(id => catalogue.get(id)),
  },
  rules: [rule('EXO-FRC-01', 5, 2)],
  dimensions: [],
  gaps: new Map([
    ['EXO-FRC-03', { later: 'needs a clock that runs ahead' }],
    ['DANE-15', { impossible: 'the codes are those of the real service' }],
  ]),
}

describe('the list of requirements', () => {
  it('has id, level, whether it is tested, and the statement', () => {
    const list = requirementsList(few, { colour: false }).split('\n')
    assert.deepEqual(list.slice(0, 5), [
      'ID          LEVEL     TESTED  STATEMENT',
      'EXO-FRC-01  must      yes     With forced TLS for a recipient domain, a partner',
      '                              that does not offer STARTTLS gets nothing. The',
      '                              gateway sends no unencrypted MAIL command, and the',
      '                              message stays queued.',
    ])
    const marks = list.filter(line => /^[A-Z]+-/.test(line)).map(line => line.slice(0, 28).trim())
    assert.deepEqual(marks, [
      'EXO-FRC-01  must      yes',
      'EXO-FRC-03  must      later',
      'DANE-15     observed  never',
      'DANE-01     must      later',
    ])
    assert.equal(list.at(-5), '4 requirements: 1 tested, 2 later, 1 never.')
  })

  it('can be that of one profile', () => {
    const list = requirementsList({ ...few, catalogue }, { profile: 'requiretls', colour: false })
    assert.deepEqual(list.match(/^[A-Z]+-\d\d/gm), ['RTLS-01', 'RTLS-02', 'RTLS-03', 'RTLS-04'])
    assert.throws(() => requirementsList(few, { profile: 'requires', colour: false }), { name: 'InputError' })
  })
})

describe('the page of a requirement', () => {
  it('tells everything about it', () => {
    assert.equal(
      requirementPage(few, 'EXO-FRC-01', { colour: false }),
      `EXO-FRC-01  must, sender, outbound

With forced TLS for a recipient domain, a partner that does not offer STARTTLS
gets nothing. The gateway sends no unencrypted MAIL command, and the message
stays queued.

Given             An outbound connector requires TLS for partner.test. The
                  server of partner.test does not offer STARTTLS.
When              The gateway sends a message to partner.test.
Then              The gateway ends the session with QUIT after EHLO. It defers
                  the message with a reason of the class 4.4.317, which says
                  that TLS is required.
Evidence          The capture has no MAIL, RCPT or DATA. The queue entry has 450
                  4.4.317 (or what the product uses instead) and a text about
                  STARTTLS.
Negative control  A gateway that delivers unencrypted when STARTTLS is missing
                  must fail.

Sources           Microsoft, How Exchange Online uses TLS to secure email
                  connections, 2018 text
                  Microsoft, How Exchange Online uses TLS to secure email
                  connections, 2021 text
                  MS mail flow intelligence (450 4.4.317)
                  (document text read in full)
Profiles          gateway-base, exchange-online-2018, exchange-online-2021,
                  exchange-online-current

Tested in         features/outbound/forced-tls.feature:5
                  Without STARTTLS on the other side, forced mail stays queued
                  (2 examples)
To do if broken   In the rule for this domain, require TLS, so that a message
                  waits where the server does not offer STARTTLS.
  exim            hosts_require_tls = *
                  In a smtp transport of its own, which a router chooses for
                  these domains.
  https://www.exim.org/exim-html-current/doc/html/spec_html/ch-the_smtp_transport.html
  opensmtpd       action "encrypted" relay tls no-verify
                  match from any for domain "example.com" action "encrypted"
                  https://man.openbsd.org/smtpd.conf.5
  postfix         smtp_tls_policy_maps = texthash:/etc/postfix/outbound
                  The file has a line for each domain, such as \`example.com
                  encrypt\`; a leading dot covers the names below a domain.
                  https://www.postfix.org/TLS_README.html#client_tls_policy
  sendmail        TLS_Rcpt:example.com  TEMP+ENCR:112
                  TLS_Srv:example.com  TEMP+ENCR:112
                  In the access map, TLS_Srv for the names of the domain's mail
                  exchangers; without it the sender crosses unencrypted.
                  https://www.sendmail.org/~ca/email/starttls.html
Not checked       The class 4.4.317, which is one vendor's code. The reason must
                  name TLS.
`,
    )
  })

  describe('has what must not matter', () => {
    const dimensions = [
      dimension('sender', 'how it greets', 'EXO-FRC-03'),
      dimension('receiver', 'the weather'),
    ]
    const listed = (rules: FeatureRule[], id: string) => {
      const page = requirementPage({ ...few, rules, dimensions }, id, { colour: false })
      return page.slice(page.indexOf('Must not matter')).split('\n')
    }
    const GREETS = [
      'Must not matter when the gateway sends mail',
      '  how it greets: as usual, or',
      '    no (RFC 5321 s4.2)',
    ]

    it('in the role of its Rules, with sources', () => {
      const often = '    often (RFC 5321 s4.2; if the gateway offers CHUNKING)'
      assert.deepEqual(listed(few.rules as FeatureRule[], 'EXO-FRC-01'), [...GREETS, often, ''])
    })

    it('without what matters to it', () => {
      assert.deepEqual(listed([rule('EXO-FRC-03', 5, 2)], 'EXO-FRC-03'), [...GREETS, ''])
    })

    it('in both roles where it has Rules for both', () => {
      const both = [rule('EXO-FRC-01', 5, 2), { ...rule('EXO-FRC-01', 9, 2), role: 'receiver' as const }]
      const roles = listed(both, 'EXO-FRC-01').filter(line => line.startsWith('Must'))
      assert.deepEqual(roles, [
        'Must not matter when the gateway sends mail',
        'Must not matter when the gateway receives mail',
      ])
    })

    it('unless its Rules cannot vary, or there are none', () => {
      const fixed = rule('EXO-FRC-01', 5, 2)
      const examples = fixed.examples.map(one => ({ ...one, steps: ['the second server sends a message'] }))
      for (const rules of [[], [{ ...fixed, examples }]])
        assert.doesNotMatch(listed(rules, 'EXO-FRC-01').join('\n'), /Must not matter/)
    })
  })

  it('says why it is not tested, or never will be', () => {
    const untested = (id: string) =>
      requirementPage(few, id, { colour: false })
        .split('\n')
        .find(line => /^(Not tested yet|Never tested)/.test(line))
    assert.equal(untested('EXO-FRC-03'), 'Not tested yet    needs a clock that runs ahead')
    assert.equal(untested('DANE-15'), 'Never tested      the codes are those of the real service')
    assert.equal(untested('DANE-01'), 'Not tested yet    no reason is given')
  })

  it('names every Rule that tests it', () => {
    const knowledge = {
      ...few,
      rules: [rule('EXO-FRC-01', 5, 1), rule('EXO-FRC-03', 9, 1), rule('EXO-FRC-01', 30, 2)],
    }
    const page = requirementPage(knowledge, 'EXO-FRC-01', { colour: false })
    assert.deepEqual(page.match(/feature:\d+|\(\d examples?\)/g), [
      'feature:5',
      '(1 example)',
      'feature:30',
      '(2 examples)',
    ])
  })

  it('calls the roles of a requirement for both by their names', () => {
    const [first] = requirementPage(few, 'EXO-MSG-01', { colour: false }).split('\n')
    assert.equal(first, 'EXO-MSG-01  must, sender and receiver, message')
  })

  it('suggests what was meant by an unknown id', () => {
    assert.throws(() => requirementPage(few, 'EXO-FRC-1', { colour: false }), {
      name: 'InputError',
      message: /did you mean/,
    })
  })
})

describe('requirements as JSON', () => {
  const read = (options: Parameters<typeof requirementsJson>[1]) => JSON.parse(requirementsJson(few, options))

  it('are the entries of the catalogue with their coverage', () => {
    const list = read({})
    assert.deepEqual(
      list.map(({ coverage }: { coverage: object }) => coverage),
      [
        {
          rules: [
            {
              uri: 'features/outbound/forced-tls.feature',
              line: 5,
              name: 'Without STARTTLS on the other side, forced mail stays queued',
              examples: 2,
            },
          ],
        },
        { later: 'needs a clock that runs ahead' },
        { impossible: 'the codes are those of the real service' },
        { later: 'no reason is given' },
      ],
    )
    const { coverage: _, remedy, ...first } = list[0]
    assert.match(remedy.sentence, /require TLS/)
    assert.deepEqual(Object.keys(remedy.settings[0]), ['product', 'set', 'also', 'link'])
    assert.deepEqual(first, catalogue.get('EXO-FRC-01'))
  })

  it('are one object for an id', () => {
    assert.equal(read({ id: 'DANE-01' }).id, 'DANE-01')
    assert.throws(() => read({ id: 'DANE-99' }), { name: 'InputError' })
  })

  it('have what must not matter, for an id', () => {
    const dimensions = [dimension('sender', 'how it greets')]
    const { circumstances } = JSON.parse(requirementsJson({ ...few, dimensions }, { id: 'EXO-FRC-01' }))
    const greets = { role: 'sender', dimension: 'how it greets', plain: 'as usual', source: 'RFC 5321 s4.2' }
    assert.deepEqual(circumstances, [
      { ...greets, value: 'no' },
      { ...greets, value: 'often', needs: 'CHUNKING' },
    ])
    assert.deepEqual(read({ id: 'DANE-01' }).circumstances, [])
  })

  it('can be those of one profile', () => {
    assert.equal(read({ profile: 'tlsrpt' }).length, 8)
    assert.throws(() => read({ profile: 'x' }), { name: 'InputError' })
  })
})

describe('what is told about the real catalogue', () => {
  const all: Knowledge = {
    catalogue,
    rules: loadFeatures(catalogue),
    dimensions: loadDimensions(),
    gaps: loadGaps(),
  }

  it('fits 80 columns and is plain text', () => {
    const pages = catalogue.requirements.map(({ id }) => requirementPage(all, id, { colour: false }))
    for (const line of [requirementsList(all, { colour: false }), ...pages].flatMap(text => text.split('\n')))
      assert.match(line, /^(?:[\x20-\x7e]{0,80}| +https:\S+)$/)
  })

  it('is the same in colour', () => {
    const list = requirementsList(all, { colour: true })
    assert.match(list, /\x1b\[32myes {3}\x1b/)
    assert.equal(stripVTControlCharacters(list), requirementsList(all, { colour: false }))
    const page = requirementPage(all, 'EXO-FRC-01', { colour: true })
    assert.notEqual(page, stripVTControlCharacters(page))
    assert.equal(stripVTControlCharacters(page), requirementPage(all, 'EXO-FRC-01', { colour: false }))
  })
})
