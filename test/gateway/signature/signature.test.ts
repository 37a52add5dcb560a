import { expect } from 'chai'
import fc from 'fast-check'
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Problem } from '../../../base/problem.ts'
import type { SignedMessage } from '../../../gateway/signature/base.ts'
import {
  checkContentDigest,
  contentDigest,
  digestInBase64url,
} from '../../../gateway/signature/digest.ts'
import { createMessageSigner } from '../../../gateway/signature/sign.ts'
import {
  type SignatureAlgorithm,
  readSignature,
  verifySignature,
} from '../../../gateway/signature/verify.ts'

interface Vectors {
  readonly keys: Readonly<Record<string, string>>
  readonly messages: Readonly<
    Record<string, Omit<SignedMessage, 'field'> & { fields: Record<string, string>; body: string }>
  >
  readonly cases: readonly {
    section: string
    message: string
    key: string
    algorithm: SignatureAlgorithm
    input: string
    signature: string
  }[]
}
const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/rfc9421/appendix-b.json', import.meta.url), 'utf8'),
) as Vectors

function messageOf(name: string, changes: Record<string, string> = {}): SignedMessage {
  const message = VECTORS.messages[name]
  if (message === undefined) throw new Error(`no message ${name}`)
  const fields: Record<string, string | undefined> = { ...message.fields, ...changes }
  return { ...message, field: (field) => fields[field] }
}

describe('RFC 9421 appendix B.2', () => {
  for (const { section, message, key, algorithm, input, signature } of VECTORS.cases) {
    const publicKey = () =>
      createPublicKey({
        key: Buffer.from(VECTORS.keys[key] ?? '', 'base64'),
        format: 'der',
        type: 'spki',
      })

    it(`${section} ${algorithm} verifies`, () => {
      const presented = readSignature(input, signature)
      expect(verifySignature(messageOf(message), presented, algorithm, publicKey())).to.equal(true)
    })

    it(`${section} ${algorithm} does not verify once anything covered differs`, () => {
      const presented = readSignature(input, signature)
      for (const [component] of presented.covered[0]) {
        const name = String(component)
        const changed = name.startsWith('@')
          ? {
              ...messageOf(message),
              method: 'PUT',
              path: '/bar',
              query: 'Pet=cat',
              authority: 'example.org',
              status: 201,
            }
          : messageOf(message, { [name]: 'changed' })
        expect(verifySignature(changed, presented, algorithm, publicKey()), name).to.equal(false)
      }
      const later = readSignature(input.replace('1618884473', '1618884474'), signature)
      expect(verifySignature(messageOf(message), later, algorithm, publicKey())).to.equal(false)
    })
  }

  for (const { name, want } of [
    { name: 'request', want: 'sha-512' },
    { name: 'response', want: 'sha-512' },
  ]) {
    it(`the ${name}'s ${want} digest is that of its body`, () => {
      const { fields, body } = VECTORS.messages[name] ?? { fields: {}, body: '' }
      checkContentDigest(fields['content-digest'] ?? '', Buffer.from(body))
    })
  }
})

// prettier-ignore
const UNREADABLE: { name: string; input: string; signature: string; detail: RegExp }[] = [
  { name: 'two signatures',            input: 'a=();created=1, b=();created=1', signature: 'a=:AA==:, b=:AA==:', detail: /exactly one/ },
  { name: 'no signature of that name', input: 'a=()',                           signature: 'b=:AA==:',           detail: /do not fit/ },
  { name: 'an item for the input',     input: 'a=1',                            signature: 'a=:AA==:',           detail: /do not fit/ },
  { name: 'a text for the signature',  input: 'a=()',                           signature: 'a="AA"',             detail: /byte sequence/ },
  { name: 'no dictionary',             input: '(',                              signature: 'a=:AA==:',           detail: /dictionaries/ },
]

// prettier-ignore
const COMPONENTS: { name: string; input: string; detail: RegExp }[] = [
  { name: 'an absent field',           input: 'a=("x-absent")',                       detail: /no component "x-absent"/ },
  { name: 'a component twice',         input: 'a=("date" "date")',                    detail: /twice/ },
  { name: 'an unknown derived one',    input: 'a=("@wat")',                           detail: /no component "@wat"/ },
  { name: 'a parameter of a field',    input: 'a=("date";bs)',                        detail: /not supported/ },
  { name: 'a request part of a response', input: 'a=("@method";req)',                 detail: /not supported/ },
  { name: 'an absent query parameter', input: 'a=("@query-param";name="x")',          detail: /stand once/ },
  { name: 'an unnamed query parameter', input: 'a=("@query-param")',                  detail: /name=/ },
  { name: 'a number',                  input: 'a=(1)',                                detail: /not a string/ },
]

describe('message signatures', () => {
  for (const { name, input, signature, detail } of UNREADABLE) {
    it(`refuses ${name}`, () => {
      expect(() => readSignature(input, signature))
        .to.throw(Problem, detail)
        .with.property('slug', 'credentials-invalid')
    })
  }

  for (const { name, input, detail } of COMPONENTS) {
    it(`refuses to rebuild ${name}`, () => {
      const presented = readSignature(input, 'a=:AA==:')
      const { publicKey } = generateKeyPairSync('ed25519')
      expect(() => verifySignature(messageOf('request'), presented, 'ed25519', publicKey))
        .to.throw(Problem, detail)
        .with.property('slug', 'credentials-invalid')
    })
  }

  for (const query of [undefined, 'a=1&b=%E4%B8%AD']) {
    it(`what the gateway signs verifies by the general reader, query ${query}`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519')
      const signer = createMessageSigner(privateKey)
      const body = Buffer.from('{}')
      const fields: Record<string, string> = {
        'evidence-id': 'e1',
        'content-type': 'application/json',
        'content-digest': contentDigest(body),
      }
      const parts = { method: 'POST', authority: 'bank:9001', path: '/a', ...(query && { query }) }
      const signed = signer.sign({
        ...parts,
        evidenceId: 'e1',
        contentType: 'application/json',
        contentDigest: contentDigest(body),
        created: 1,
      })
      const presented = readSignature(signed.input, signed.signature)
      const message = { ...parts, scheme: 'http', field: (name: string) => fields[name] }
      expect(verifySignature(message, presented, 'ed25519', publicKey)).to.equal(true)
      expect(presented.covered[1].get('keyid')).to.equal(signer.keyId)
    })
  }
})

// prettier-ignore
const DIGESTS: { name: string; value: string; slug?: string }[] = [
  { name: 'sha-256',                 value: 'sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:' },
  { name: 'one known of two',        value: 'md5=:AAAA:, sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:' },
  { name: 'another body\'s',         value: 'sha-256=:AAAvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:', slug: 'body-malformed' },
  { name: 'a short one',             value: 'sha-256=:RBNv:',          slug: 'body-malformed' },
  { name: 'an unknown algorithm',    value: 'md5=:AAAA:',              slug: 'body-malformed' },
  { name: 'a text',                  value: 'sha-256="x"',             slug: 'body-malformed' },
  { name: 'no dictionary',           value: '=',                       slug: 'request-malformed' },
]

describe('checkContentDigest', () => {
  for (const { name, value, slug } of DIGESTS) {
    it(`${slug === undefined ? 'accepts' : 'refuses'} ${name}`, () => {
      const check = () => checkContentDigest(value, Buffer.from('{}'))
      if (slug === undefined) expect(check).to.not.throw()
      else expect(check).to.throw(Problem).with.property('slug', slug)
    })
  }
})

describe('digestInBase64url', () => {
  it('gives the digest of the same bytes in the spelling of evidence', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const want = createHash('sha256').update(bytes).digest('base64url')
        expect(digestInBase64url(contentDigest(bytes))).to.equal(want)
      }),
    )
  })
  it('gives one spelling of a digest whose last character has stray bits', () => {
    const value = contentDigest(Buffer.from('{}'))
    const stray = value.replace(/.=:$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=:`)
    expect(stray).to.not.equal(value)
    expect(digestInBase64url(stray)).to.equal(digestInBase64url(value))
  })
  for (const value of [
    undefined,
    '',
    'sha-256=:RBNv:',
    `sha-512=:${'A'.repeat(43)}=:`,
    ' sha-256=:x:',
  ]) {
    it(`reads nothing from ${value}`, () => expect(digestInBase64url(value)).to.equal(undefined))
  }
})
