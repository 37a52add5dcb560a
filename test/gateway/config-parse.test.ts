import { expect } from 'chai'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { loadConfig } from '../../gateway/config-parse.ts'

const OPERATOR = 'operator: { name: 示例征信, role: bureau }\n'
const MINIMAL = `${OPERATOR}parties: []\n`

describe('loadConfig', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-config-'))
    for (const name of ['policies', 'keys', 'here']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'keys/p.jwks.json'), '{"keys":[{"kty":"OKP"}]}')
    writeFileSync(join(folder, 'keys/not.json'), 'SECRET-CONTENT')
    writeFileSync(join(folder, 'keys/witnesses'), 'quorum none\n')
    const sealed = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...sealed.publicKey.export({ format: 'jwk' }), alg: 'ECDH-ES' }
    writeFileSync(join(folder, 'keys/enc.json'), JSON.stringify(jwk))
    const leaked = { ...sealed.privateKey.export({ format: 'jwk' }), alg: 'ECDH-ES' }
    writeFileSync(join(folder, 'keys/private.json'), JSON.stringify(leaked))
    const secret = { kty: 'oct', kid: 'k1', k: Buffer.alloc(32, 1).toString('base64url') }
    for (const [name, mode] of [
      ['secret', 0o600],
      ['open-secret', 0o644],
    ] as const)
      writeFileSync(join(folder, `keys/${name}.json`), JSON.stringify({ keys: [secret] }), { mode })
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(folder, 'keys/tls.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(join(folder, 'keys/binary'), Buffer.from([0xff, 0xfe]))
  })
  after(() => rmSync(folder, { recursive: true }))

  function load(text: string, environment: Record<string, string> = {}) {
    const file = join(folder, 'sealgate.yaml')
    writeFileSync(file, text)
    const report = createReport()
    const config = loadConfig(file, environment, report)
    const errors = report.diagnostics.map(
      ({ at, message }) =>
        `${at.file.replace(`${folder}/`, '')}:${at.line}:${at.column}: ${message}`,
    )
    return { config, errors, rendered: renderReport(report) }
  }

  it('fills in what the file leaves out, relative to the file', () => {
    const { config, errors } = load(MINIMAL)
    expect(errors).to.deep.equal([])
    expect(config).to.deep.equal({
      file: join(folder, 'sealgate.yaml'),
      relay: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 8081 },
      data: join(folder, 'data'),
      policies: join(folder, 'policies'),
      queue: { kind: 'embedded' },
      index: { kind: 'embedded' },
      log: { kind: 'folder', path: join(folder, 'data/log') },
      timestamp: {
        authorities: [{ url: 'embedded' }],
        ...{ intervalMs: 60_000, recordsMax: 4096, sunsets: new Map() },
      },
      operator: { name: '示例征信', role: 'bureau' },
      parties: [],
      verifiers: [],
      envelopes: [],
    })
  })

  it('reads every setting', () => {
    const { config, errors } = load(`
relay: { listen: "[::1]:0" }
admin: { listen: localhost:9 }
data: ./here
policies: ./policies
queue: redis://127.0.0.1:6379/1
index: postgres://127.0.0.1/x
log: s3://bucket/prefix
origin: evidence.example.com/evr
seal: { pkcs11: { module: /usr/lib/softhsm/libsofthsm2.so, token: hsm, pin: keys/pin, label: seal } }
timestamp:
  authorities: [ embedded, https://tsa.example/, { url: https://other.example/, policy: 1.2.3.4.1 } ]
  interval_ms: 2000
  records_max: 10
  sunsets: { SHA-256: 2035-01-01 }
witnesses: { policy: keys/witnesses, interval: 5s }
gm: on
operator: { name: a, role: platform-side, licence: "1", validUntil: 2027-11-08 }
parties:
  - { id: a-platform, role: platform, auth: [ { jwt: { jwks: keys/p.jwks.json } }, { mtls: { subject: CN=a } } ] }
  - { id: b-bank, role: bank, url: "http://127.0.0.1:9001", encryptTo: keys/enc.json, signWith: keys/secret.json, auth: [ { signature: { jwks: https://b.example/jwks } }, { hmac: keys/secret.json } ] }
verifiers:
  - { id: operator-one, url: https://v.example/check, issuer: one, jwks: https://v.example/jwks, timeout: 500ms }
  - { id: operator-two, url: "http://127.0.0.1:9", jwks: keys/p.jwks.json }
`)
    expect(errors).to.deep.equal([])
    expect(config?.relay).to.deep.include({ host: '::1', port: 0 })
    expect(config?.relay.at).to.include({ line: 2, column: 18 })
    expect(config?.queue).to.deep.equal({ kind: 'redis', url: 'redis://127.0.0.1:6379/1' })
    expect(config?.index).to.deep.equal({ kind: 'postgres', url: 'postgres://127.0.0.1/x' })
    expect(config?.log).to.deep.equal({ kind: 's3', url: 's3://bucket/prefix' })
    expect(config?.gm).to.equal(true)
    expect(config?.witnesses).to.deep.equal({ policy: join(folder, 'keys/witnesses'), intervalMs: 5000 }) // prettier-ignore
    expect(config?.origin).to.equal('evidence.example.com/evr')
    expect(config?.seal?.pkcs11).to.deep.equal({
      ...{ module: '/usr/lib/softhsm/libsofthsm2.so', token: 'hsm', label: 'seal' },
      pin: join(folder, 'keys/pin'),
    })
    expect(config?.timestamp).to.deep.equal({
      authorities: [
        { url: 'embedded' },
        { url: 'https://tsa.example/' },
        { url: 'https://other.example/', policy: '1.2.3.4.1' },
      ],
      intervalMs: 2000,
      recordsMax: 10,
      sunsets: new Map([['SHA-256', new Date('2035-01-01')]]),
    })
    const jwks = join(folder, 'keys/p.jwks.json')
    expect(config?.verifiers).to.deep.equal([
      { id: 'operator-one', url: 'https://v.example/check', issuer: 'one', jwks: 'https://v.example/jwks', timeoutMs: 500 },
      { id: 'operator-two', url: 'http://127.0.0.1:9', issuer: 'operator-two', jwks, timeoutMs: 3000 },
    ]) // prettier-ignore
    expect(config?.parties).to.deep.equal([
      {
        id: 'a-platform',
        role: 'platform',
        auth: [
          { method: 'jwt', jwks: join(folder, 'keys/p.jwks.json') },
          { method: 'mtls', subject: 'CN=a' },
        ],
      },
      {
        id: 'b-bank',
        role: 'bank',
        url: 'http://127.0.0.1:9001',
        signWith: join(folder, 'keys/secret.json'),
        encryptTo: join(folder, 'keys/enc.json'),
        auth: [
          { method: 'signature', jwks: 'https://b.example/jwks' },
          { method: 'hmac', secrets: join(folder, 'keys/secret.json') },
        ],
      },
    ])
  })

  // prettier-ignore
  const OVERRIDES: { name: string; variable: string; value: string; want: object }[] = [
    { name: 'a scalar',           variable: 'SEALGATE_QUEUE',          value: 'redis://h:1',    want: { queue: { kind: 'redis', url: 'redis://h:1' } } },
    { name: 'a nested setting',   variable: 'SEALGATE_OPERATOR_NAME',  value: '另一家',          want: { operator: { name: '另一家', role: 'bureau' } } },
    { name: 'a list',             variable: 'SEALGATE_TIMESTAMP',      value: '[ "http://t" ]', want: { timestamp: { authorities: [{ url: 'http://t' }], intervalMs: 60_000, recordsMax: 4096, sunsets: new Map() } } },
    { name: 'an absent section',  variable: 'SEALGATE_OPERATOR_LICENCE', value: 'L-1',          want: { operator: { name: '示例征信', role: 'bureau', licence: 'L-1' } } },
    { name: 'nothing for tests',  variable: 'SEALGATE_TEST_REDIS',     value: 'x',              want: {} },
  ]
  for (const { name, variable, value, want } of OVERRIDES) {
    it(`lets the environment override ${name}`, () => {
      const { config, errors } = load(MINIMAL, { [variable]: value })
      expect(errors).to.deep.equal([])
      expect(config).to.deep.include(want)
    })
  }

  // prettier-ignore
  const REFUSED: { name: string; text: string; want: string; environment?: Record<string, string> }[] = [
    { name: 'an unknown key',         text: `${MINIMAL}quue: embedded\n`,                 want: 'sealgate.yaml:3:1: the configuration has no key `quue`' },
    { name: 'an unknown nested key',  text: `${MINIMAL}relay: { listen: "127.0.0.1:1", tsl: {} }\n`, want: 'sealgate.yaml:3:33: a listener has no key `tsl`' },
    { name: 'a missing section',      text: 'parties: []\n',                              want: 'sealgate.yaml:1:1: the configuration has no `operator`' },
    { name: 'an open address without TLS', text: `${MINIMAL}relay: { listen: 0.0.0.0:80 }\n`, want: 'sealgate.yaml:3:18: TLS is missing, and the address can be reached from other machines' },
    { name: 'a port out of range',    text: `${MINIMAL}relay: { listen: "127.0.0.1:65536" }\n`, want: 'sealgate.yaml:3:18: `127.0.0.1:65536` is not an address and a port' },
    { name: 'an unknown queue',       text: `${MINIMAL}queue: kafka://x\n`,               want: 'sealgate.yaml:3:8: neither `embedded` nor a URL that is known here' },
    { name: 'a party twice',          text: `${OPERATOR}parties: [ { id: a, role: bank }, { id: a, role: bank } ]\n`, want: 'sealgate.yaml:2:35: the party `a` stands here twice' },
    { name: 'a path as a party id',   text: `${OPERATOR}parties: [ { id: uploads, role: bank } ]\n`, want: 'sealgate.yaml:2:12: `uploads` is a path of the gateway itself' },
    { name: 'a party id in capitals', text: `${OPERATOR}parties: [ { id: Bank, role: bank } ]\n`, want: 'sealgate.yaml:2:18: `Bank` is not a party id' },
    { name: 'an unknown role',        text: `${OPERATOR}parties: [ { id: a, role: bnk } ]\n`, want: 'sealgate.yaml:2:27: `bnk` is not a role of a party' },
    { name: 'a URL with a password',  text: `${OPERATOR}parties: [ { id: a, role: bank, url: "http://u:p@h" } ]\n`, want: 'sealgate.yaml:2:38: not an http or https URL' },
    { name: 'a missing key file',     text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys/gone.json } } ] } ]\n`, want: 'sealgate.yaml:2:56: `keys/gone.json` does not exist' },
    { name: 'a folder for a key',     text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys } } ] } ]\n`, want: 'sealgate.yaml:2:56: `keys` is a folder, not a file' },
    { name: 'a key that is no key',   text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys/not.json } } ] } ]\n`, want: 'sealgate.yaml:2:56: `keys/not.json` is not a JWK set (`{"keys": […]}`)' },
    { name: 'a key that is not text', text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys/binary } } ] } ]\n`, want: 'sealgate.yaml:2:56: `keys/binary` is not UTF-8 text' },
    { name: 'two ways in one map',    text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys/p.jwks.json }, mtls: { subject: a } } ] } ]\n`, want: 'sealgate.yaml:2:41: one way to authenticate stands in each map' },
    { name: 'a secret that others can read', text: `${OPERATOR}parties: [ { id: a, role: bank, signWith: keys/open-secret.json } ]\n`, want: 'sealgate.yaml:2:43: others can read the key' },
    { name: 'a secret that is none',  text: `${OPERATOR}parties: [ { id: a, role: bank, auth: [ { hmac: keys/p.jwks.json } ] } ]\n`, want: 'sealgate.yaml:2:49: `keys/p.jwks.json` is not a JWK set of `oct` keys with `kid`, 32 bytes or more' },
    { name: 'a private key to encrypt to', text: `${OPERATOR}parties: [ { id: a, role: bank, encryptTo: keys/private.json } ]\n`, want: 'sealgate.yaml:2:44: `keys/private.json` is not a public JWK whose `alg` is one of ECDH-ES, ECDH-ES+A256KW, RSA-OAEP-256' },
    { name: 'a verifier in the clear', text: `${MINIMAL}verifiers: [ { id: v, url: "http://v.example", jwks: keys/p.jwks.json } ]\n`, want: 'sealgate.yaml:3:28: personal values would go there in the clear' },
    { name: 'a verifier twice',       text: `${MINIMAL}verifiers: [ { id: v, url: "https://v", jwks: keys/p.jwks.json }, { id: v, url: "https://v", jwks: keys/p.jwks.json } ]\n`, want: 'sealgate.yaml:3:67: the verifier `v` stands here twice' },
    { name: 'a verifier that takes for ever', text: `${MINIMAL}verifiers: [ { id: v, url: "https://v", jwks: keys/p.jwks.json, timeout: 1h } ]\n`, want: 'sealgate.yaml:3:74: `timeout` must be a length of time, from 0.1 to 30 seconds' },
    { name: 'a certificate that is a key', text: `${MINIMAL}relay: { listen: 0.0.0.0:1, tls: { cert: keys/tls.pem, key: keys/tls.pem } }\n`, want: 'sealgate.yaml:3:42: `keys/tls.pem` is not a PEM certificate' },
    { name: 'no policies folder',     text: `${MINIMAL}policies: ./none\n`,               want: 'sealgate.yaml:3:11: the policies folder does not exist' },
    { name: 'a log name with a scheme', text: `${MINIMAL}origin: https://e.example/evr\n`, want: 'sealgate.yaml:3:9: `https://e.example/evr` is not the name of the log' },
    { name: 'a PKCS#11 module without its folder', text: `${MINIMAL}seal: { pkcs11: { module: libsofthsm2.so, token: t, pin: p, label: l } }\n`, want: 'sealgate.yaml:3:27: `libsofthsm2.so` is not a shared library' },
    { name: 'a Chinese profile that is neither on nor off', text: `${MINIMAL}gm: sm2\n`, want: 'sealgate.yaml:3:5: `sm2` is not the Chinese profile' },
    { name: 'a witness policy without a quorum', text: `${MINIMAL}witnesses: { policy: keys/not.json }\n`, want: 'sealgate.yaml:3:22: `keys/not.json` is not a witness policy' },
    { name: 'a seal key in a token without a PIN', text: `${MINIMAL}seal: { pkcs11: { module: /m.so, token: t, label: l } }\n`, want: 'sealgate.yaml:3:17: `pkcs11` has no `pin`' },
    { name: 'an unknown variable',    text: MINIMAL, environment: { SEALGATE_QUEU: 'x' }, want: 'environment variable SEALGATE_QUEU:1:1: no setting has this name' },
    { name: 'a bad variable',         text: MINIMAL, environment: { SEALGATE_QUEUE: 'x' }, want: 'environment variable SEALGATE_QUEUE:1:1: neither `embedded` nor a URL that is known here' },
  ]
  for (const { name, text, want, environment } of REFUSED) {
    it(`refuses ${name}`, () => {
      const { config, errors } = load(text, environment)
      expect(config).to.equal(undefined)
      expect(errors.map((error) => error.replace(/ \(ERR.*\)$/, ''))).to.include(want)
    })
  }

  it('refuses a file that is not there, and says which', () => {
    const report = createReport()
    expect(loadConfig(join(folder, 'gone.yaml'), {}, report)).to.equal(undefined)
    expect(renderReport(report)).to.include('the configuration does not exist')
  })

  it('tells all errors at once, and never what a key file or a password says', () => {
    const { errors, rendered } = load(`
queue: redys://user:hunter2@h
operator: { name: 1, role: none }
parties: [ { id: a, role: bank, auth: [ { jwt: { jwks: keys/not.json } } ] } ]
`)
    expect(errors).to.have.length(4)
    expect(rendered).to.not.match(/hunter2|SECRET-CONTENT/)
  })
})
