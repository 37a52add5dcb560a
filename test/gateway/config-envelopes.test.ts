import { expect } from 'chai'
import { createEnvelopeBench } from '../support/envelopes.ts'

const CBC = 'cipher: { algorithm: aes-256-cbc, key: keys/key32 }'
const SIGN = 'sign: { algorithm: hmac-sha256, member: sign, over: sorted, key: keys/secret }'
const until = 'by: 李合规, until: 2027-01-31'

// prettier-ignore
const REFUSED: { name: string; yaml: string; want: readonly (string | RegExp)[] }[] = [
  { name: 'no list',                  yaml: '  a: 1',                                                                          want: ['1:3: `envelopes` must be a list, not a map'] },
  { name: 'an unknown key',           yaml: `  - { id: e, chipher: 1, json: { data: d }, ${SIGN} }`,                         want: ['1:14: an envelope has no key `chipher`'] },
  { name: 'nothing that protects',    yaml: '  - { id: e, json: { data: d } }',                                                want: ['1:5: the envelope neither encrypts nor signs'] },
  { name: 'an id twice',              yaml: `  - { id: e, json: { data: d }, ${SIGN} }\n  - { id: e, json: { data: d }, ${SIGN} }`, want: ['2:11: the envelope `e` stands here twice'] },
  { name: 'a signature without a place', yaml: `  - { id: e, ${SIGN} }`,                                                       want: ['1:5: `sign` needs a member to stand in'] },
  { name: 'a member twice',           yaml: '  - { id: e, json: { data: sign }, sign: { algorithm: hmac-sha256, member: sign, over: sorted, key: keys/secret } }', want: ['1:5: the member `sign` stands here twice'] },
  { name: 'a vector that is not signed', yaml: '  - { id: e, json: { data: d }, cipher: { algorithm: aes-256-cbc, iv: { member: iv }, key: keys/key32 }, sign: { algorithm: hmac-sha256, member: s, over: data, key: keys/secret } }', want: ['1:5: the key or the vector in a member is not signed'] },
  { name: 'a time that is not signed', yaml: '  - { id: e, json: { data: d, timestamp: t, nonce: n }, cipher: { algorithm: aes-128-gcm, key: keys/key16 } }', want: ['1:5: the time and the nonce are not signed'] },
  { name: 'a time without a nonce',   yaml: `  - { id: e, json: { data: d, timestamp: t }, ${SIGN} }`,                        want: ['1:20: the time or the nonce is missing'] },
  { name: 'JOSE with other parts',    yaml: `  - { id: e, ${CBC}, jws: { algorithm: HS256, key: keys/key32 } }`,              want: [/^1:5: E106: /, '1:5: `jwe` and `jws` stand alone'] },
  { name: 'GCM with a fixed nonce',   yaml: '  - { id: e, cipher: { algorithm: aes-256-gcm, iv: zero, key: keys/key32 } }',   want: ['1:52: `gcm` needs a fresh nonce for each message', /^1:5: E101: /] },
  { name: 'ECB with a vector',        yaml: `  - { id: e, cipher: { algorithm: aes-128-ecb, iv: zero, key: keys/key16 }, weak: { accepted: [ zero-iv, ecb, unauthenticated ], ${until} } }`, want: ['1:52: `ecb` has no initialisation vector', /^1:77: E101/, /^1:77: E103/, /^1:77: E106/] },
  { name: 'a key of another size',    yaml: '  - { id: e, cipher: { algorithm: aes-128-gcm, key: keys/key32 } }',             want: [/^1:53: `keys\/key32` is not a secret of 16 bytes/] },
  { name: 'a key in no form',         yaml: '  - { id: e, cipher: { algorithm: aes-128-gcm, key: keys/bare } }',              want: [/^1:53: `keys\/bare` is not a secret of 16 bytes, as `hex:…`/] },
  { name: 'a key that others read',   yaml: '  - { id: e, cipher: { algorithm: aes-128-gcm, key: keys/open } }',              want: ['1:53: others can read the key'] },
  { name: 'a key that is not there',  yaml: '  - { id: e, cipher: { algorithm: aes-128-gcm, key: keys/none } }',              want: ['1:53: `keys/none` does not exist'] },
  { name: 'an unknown cipher',        yaml: '  - { id: e, cipher: { algorithm: des-cbc, key: keys/key16 } }',                 want: ['1:35: `des-cbc` is not a cipher'] },
  { name: 'a private key as theirs',  yaml: '  - { id: e, jws: { algorithm: ES256, ours: keys/a.ec.jwk, theirs: keys/b.ec.jwk } }', want: [/^1:68: `keys\/b\.ec\.jwk` is not a public JWK/] },
  { name: 'a public key as ours',     yaml: '  - { id: e, jws: { algorithm: ES256, ours: keys/a.ec.pub.jwk, theirs: keys/b.ec.pub.jwk } }', want: [/^1:45: `keys\/a\.ec\.pub\.jwk` is not a private JWK/] },
  { name: 'an SM2 key for RSA',       yaml: '  - { id: e, json: { data: d }, sign: { algorithm: rsa-sha256, member: s, over: sorted, ours: keys/a.sm2, theirs: keys/b.rsa.pub } }', want: [/`keys\/a\.sm2` is not an RSA private key in PEM, 2048 bits or more/] },
  { name: 'what no codec reads inside', yaml: `  - { id: e, content: image/png, json: { data: d }, ${SIGN} }`,              want: ['1:23: `image/png` cannot be read here'] },
  { name: 'a weakness nobody accepts', yaml: `  - { id: e, ${CBC} }`,                                                          want: ['1:5: E106: the envelope `e` is weak, and nobody accepts `unauthenticated`: nothing authenticates the encrypted body, so it can be changed and probed'] },
  { name: 'a weakness it has not',    yaml: `  - { id: e, ${CBC}, weak: { accepted: [ unauthenticated, md5 ], ${until} } }`,  want: [/^1:67: E106/, '1:67: the envelope `e` has not the weakness `md5`'] },
  { name: 'a weakness without an end', yaml: `  - { id: e, ${CBC}, weak: { accepted: [ unauthenticated ], by: 李 } }`,         want: ['1:73: `weak` has no `until`', /^1:67: E106/] },
  { name: 'an end that is no date',   yaml: `  - { id: e, ${CBC}, weak: { accepted: [ unauthenticated ], by: 李, until: 2027-02-30 } }`, want: [/^1:\d+: `2027-02-30` is not a date/, /^1:67: E106/] },
]

describe('the envelopes of sealgate.yaml', () => {
  const bench = createEnvelopeBench()
  before(() => {
    bench.put('bare', '0123456789abcdef')
    bench.put('open', `hex:${'00'.repeat(16)}`, 0o644)
  })
  after(() => bench.remove())

  for (const { name, yaml, want } of REFUSED) {
    it(`refuse ${name}`, () => {
      const { config, findings } = bench.read(`${yaml}\n`)
      expect(config).to.equal(undefined)
      expect(findings, findings.join('\n')).to.have.lengthOf(want.length)
      for (const [index, line] of want.entries()) {
        if (typeof line === 'string') expect(findings[index]).to.equal(line)
        else expect(findings[index]).to.match(line)
      }
      expect(findings.join('\n')).to.not.include('0123456789abcdef')
    })
  }

  it('warn of every weakness, each with its number', () => {
    const weak = (names: string) => `weak: { accepted: [ ${names} ], ${until} }`
    const { config, findings } = bench.read(
      `  - { id: one, cipher: { algorithm: aes-128-cbc, iv: zero, key: keys/key16 }, ${weak('zero-iv, unauthenticated')} }
  - { id: two, cipher: { algorithm: sm4-cbc, iv: { fixed: keys/iv16 }, key: keys/key16 }, ${weak('fixed-iv, unauthenticated')} }
  - { id: three, cipher: { algorithm: aes-128-ecb, key: keys/key16 }, headers: { scheme: x-ca, id: A, key: keys/secret }, ${weak('ecb, md5')} }
  - { id: four, json: { data: d }, cipher: { algorithm: aes-128-gcm, wrap: { algorithm: rsa-pkcs1, member: k, ours: keys/a.rsa, theirs: keys/b.rsa.pub } }, ${weak('pkcs1-v1.5')} }
  - { id: five, json: { data: d }, sign: { algorithm: rsa-sha1, member: s, over: data, ours: keys/a.rsa, theirs: keys/b.rsa.pub }, ${weak('sha1')} }
`,
    )
    expect(config?.envelopes.map(({ weak: names }) => names)).to.deep.equal([
      ['zero-iv', 'unauthenticated'],
      ['fixed-iv', 'unauthenticated'],
      ['ecb', 'md5'],
      ['pkcs1-v1.5'],
      ['sha1'],
    ])
    const codes = findings.map((line) => /^(\d):\d+: (E\d+): /.exec(line)?.slice(1).join(' '))
    expect(codes).to.deep.equal([
      '1 E101',
      '1 E106',
      '2 E102',
      '2 E106',
      '3 E103',
      '3 E104',
      '4 E105',
      '5 E107',
    ])
  })

  it('keep no key in the configuration', () => {
    const { config } = bench.read(`  - { id: e, json: { data: d }, ${SIGN} }\n`)
    expect(JSON.stringify(config)).to.include('keys/secret').and.not.include('some length')
  })
})
