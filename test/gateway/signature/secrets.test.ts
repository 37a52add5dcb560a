import { expect } from 'chai'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigFault } from '../../../gateway/fault.ts'
import { signatureBase } from '../../../gateway/signature/base.ts'
import { openSecrets, parseSecrets, verifyMac } from '../../../gateway/signature/secrets.ts'
import { createSecretSigner } from '../../../gateway/signature/sign.ts'
import { readSignature } from '../../../gateway/signature/verify.ts'

const K = Buffer.alloc(32, 7).toString('base64url')
const keysOf = (...keys: object[]) => JSON.stringify({ keys })

// prettier-ignore
const FILES: { name: string; text: string; kids?: string[] }[] = [
  { name: 'one secret',                 text: keysOf({ kty: 'oct', kid: 'a', k: K }),                                         kids: ['a'] },
  { name: 'an old and a new one',       text: keysOf({ kty: 'oct', kid: 'b', k: K }, { kty: 'oct', kid: 'a', k: K }),         kids: ['b', 'a'] },
  { name: 'no keys',                    text: keysOf() },
  { name: 'no set',                     text: '[]' },
  { name: 'a public key',               text: keysOf({ kty: 'OKP', crv: 'Ed25519', kid: 'a', x: K }) },
  { name: 'a secret without a name',    text: keysOf({ kty: 'oct', k: K }) },
  { name: 'a name that needs escapes',  text: keysOf({ kty: 'oct', kid: 'a"', k: K }) },
  { name: 'a secret of 31 bytes',       text: keysOf({ kty: 'oct', kid: 'a', k: Buffer.alloc(31).toString('base64url') }) },
  { name: 'a secret in base64',         text: keysOf({ kty: 'oct', kid: 'a', k: `${K}=` }) },
  { name: 'one name twice',             text: keysOf({ kty: 'oct', kid: 'a', k: K }, { kty: 'oct', kid: 'a', k: K }) },
]

describe('shared secrets', () => {
  for (const { name, text, kids } of FILES) {
    it(`${kids === undefined ? 'refuse' : 'read'} ${name}`, () => {
      if (kids === undefined) expect(() => parseSecrets(text)).to.throw(Error)
      else expect(parseSecrets(text).map(({ kid }) => kid)).to.deep.equal(kids)
    })
  }

  it('verify RFC 9421 B.2.5, and nothing else', () => {
    const file = new URL('../../vectors/rfc9421/appendix-b.json', import.meta.url)
    const { messages } = JSON.parse(readFileSync(file, 'utf8')) as {
      messages: Record<string, { fields: Record<string, string> }>
    }
    const { fields, ...message } = messages['request'] ?? { fields: {} }
    const k =
      'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ'
    const [secret] = parseSecrets(keysOf({ kty: 'oct', kid: 'test-shared-secret', k }))
    if (secret === undefined) throw new Error('no secret')
    const { covered, signature } = readSignature(
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
    )
    const base = (changes: object) =>
      signatureBase({ ...message, field: (name) => ({ ...fields, ...changes })[name] }, covered)
    expect(verifyMac(secret, base({}), signature)).to.equal(true)
    expect(verifyMac(secret, base({ date: 'now' }), signature)).to.equal(false)
    expect(verifyMac(secret, base({}), signature.subarray(0, 31))).to.equal(false)
  })

  it('sign what the general reader rebuilds', () => {
    const [secret] = parseSecrets(keysOf({ kty: 'oct', kid: 'k1', k: K }))
    if (secret === undefined) throw new Error('no secret')
    const signed = createSecretSigner(secret).sign({
      ...{ method: 'POST', authority: 'bank', path: '/a', query: 'b=1' },
      ...{ evidenceId: 'e', contentType: 'application/json', contentDigest: 'sha-256=:AA==:' },
      created: 1,
    })
    const { covered, signature } = readSignature(signed.input, signed.signature)
    const fields: Record<string, string> = {
      'evidence-id': 'e',
      'content-type': 'application/json',
      'content-digest': 'sha-256=:AA==:',
    }
    const message = { method: 'POST', scheme: 'http', authority: 'bank', path: '/a', query: 'b=1' }
    const base = signatureBase({ ...message, field: (name) => fields[name] }, covered)
    expect(verifyMac(secret, base, signature)).to.equal(true)
    expect(covered[1].get('alg')).to.equal('hmac-sha256')
    expect(covered[1].get('keyid')).to.equal('k1')
  })

  describe('in a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealgate-secrets-'))
    after(() => rmSync(folder, { recursive: true }))
    const open = (text: string, mode: number) => {
      const file = join(folder, `${mode.toString(8)}.json`)
      writeFileSync(file, text, { mode })
      return () => openSecrets(file)
    }
    const good = keysOf({ kty: 'oct', kid: 'a', k: K })

    it('open with mode 0600', () => expect(open(good, 0o600)()).to.have.length(1))
    it('are refused when others can read them', () =>
      expect(open(good, 0o640)).to.throw(ConfigFault, 'chmod 600'))
    it('are never quoted', () =>
      expect(open(`{"keys":[{"k":"${K}"}`, 0o400))
        .to.throw(ConfigFault)
        .and.not.have.property('cause'))
  })
})
