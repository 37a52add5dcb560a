import { expect } from 'chai'
import fc from 'fast-check'
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  type webcrypto,
} from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fromBase64url } from '../../base/base64url.ts'
import { Problem } from '../../base/problem.ts'
import * as nodePort from '../../evidence/crypto.ts'
import { canonicalText } from '../../evidence/draft.ts'
import { readRecord } from '../../evidence/seal.ts'
import * as browserPort from '../../evidence/page/browser/crypto.ts'

const VECTORS = new URL('../vectors/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, VECTORS), 'utf8')
const PORTS = { 'node:crypto': nodePort, 'the noble libraries': browserPort }

describe('RFC 8785', () => {
  for (const name of readdirSync(new URL('jcs/input', VECTORS))) {
    it(`writes ${name} as published`, () => {
      const value = JSON.parse(read(`jcs/input/${name}`)) as Parameters<typeof canonicalText>[0]
      expect(canonicalText(value)).to.equal(read(`jcs/output/${name}`))
    })
  }
})

interface Group {
  readonly comment: string
  readonly public?: webcrypto.JsonWebKey & { readonly alg?: string }
  readonly tests: readonly { tcId: number; comment: string; jws: string; result: 'valid' | 'invalid' }[] // prettier-ignore
}

const GROUPS = (
  JSON.parse(read('wycheproof/json_web_signature_test.json')) as { testGroups: Group[] }
).testGroups
/** Our records are ES256 by the key of a certificate, so what a JWK says of its use does not apply. */
const ES256 = GROUPS.filter(
  (group) => group.public?.crv === 'P-256' && group.public.alg === 'ES256',
)

/** What the record reader and the verifier do, but for the fixed header of a record. */
function verifyStrictly(port: typeof nodePort, jws: string, key: nodePort.PublicKey): boolean {
  const [head = '', body = '', tail = '', ...more] = jws.split('.')
  try {
    const header: unknown = JSON.parse(fromBase64url(head).toString())
    fromBase64url(body)
    const signature = fromBase64url(tail)
    if (more.length > 0 || (header as { alg?: unknown }).alg !== 'ES256') return false
    return port.verifySignature('ES256', key, Buffer.from(`${head}.${body}`), signature)
  } catch {
    return false // No base64url, or no JSON.
  }
}

describe('Wycheproof JWS', () => {
  it('has the groups and tests that apply', () => {
    expect(ES256.map(({ tests }) => tests.length)).to.deep.equal([15, 24])
  })

  for (const [name, port] of Object.entries(PORTS)) {
    for (const { comment, public: jwk = {}, tests } of ES256) {
      it(`agrees in each test of “${comment}” by ${name}`, () => {
        const spki = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }) // prettier-ignore
        const key = port.readP256Key(spki)
        const found = tests.map(({ tcId, jws }) => [tcId, verifyStrictly(port, jws, key)])
        expect(found).to.deep.equal(tests.map(({ tcId, result }) => [tcId, result === 'valid']))
      })
    }
  }

  it("is all refused as a record: no header of it is a record's", () => {
    for (const { jws } of GROUPS.flatMap(({ tests }) => tests)) {
      expect(() => readRecord(jws))
        .to.throw(Problem)
        .with.property('slug', 'job-invalid')
    }
  })
})

describe('the two implementations of the port', () => {
  const rawOf = (key: KeyObject, name: 'x' | 'pub') => {
    const jwk: Readonly<Record<string, unknown>> = { ...key.export({ format: 'jwk' }) }
    return Buffer.from(String(jwk[name]), 'base64url')
  }
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')
  const ml = generateKeyPairSync('ml-dsa-44')
  const spki = p256.publicKey.export({ type: 'spki', format: 'der' })
  // prettier-ignore
  const SCHEMES = [
    { scheme: 'ES256', keyOf: (port: typeof nodePort) => port.readP256Key(spki), signed: (m: Uint8Array) => sign('sha256', m, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' }) },
    { scheme: 'Ed25519', keyOf: (port: typeof nodePort) => port.readRawKey('Ed25519', rawOf(ed.publicKey, 'x')), signed: (m: Uint8Array) => sign(null, m, ed.privateKey) },
    { scheme: 'ML-DSA-44', keyOf: (port: typeof nodePort) => port.readRawKey('ML-DSA-44', rawOf(ml.publicKey, 'pub')), signed: (m: Uint8Array) => sign(null, m, ml.privateKey) },
  ] as const

  for (const { scheme, keyOf, signed } of SCHEMES) {
    it(`agree on ${scheme}, good and changed`, () => {
      const keys = [keyOf(nodePort), keyOf(browserPort)] as const
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.nat(2), (message, bit, what) => {
          const signature = signed(message)
          const changed = what === 1 && message.length > 0 ? message : signature
          const at = bit % (changed.length * 8)
          if (what > 0) changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
          const node = nodePort.verifySignature(scheme, keys[0], message, signature)
          expect(browserPort.verifySignature(scheme, keys[1], message, signature)).to.equal(node)
          expect(node).to.equal(what === 0)
        }),
        { numRuns: 60 },
      )
    })

    it(`agree that a signature of another length is none by ${scheme}`, () => {
      for (const port of [nodePort, browserPort]) {
        for (const length of [0, 1, 63, 65, 2419]) {
          const signature = Buffer.alloc(length, 1)
          expect(port.verifySignature(scheme, keyOf(port), Buffer.from('m'), signature)).to.equal(
            false,
          )
        }
      }
    })
  }

  it('agree on digests, and refuse a key of another curve', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
    const der = other.export({ type: 'spki', format: 'der' })
    for (const port of [nodePort, browserPort]) expect(() => port.readP256Key(der)).to.throw()
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, text) => {
        expect(browserPort.sha256(bytes).equals(nodePort.sha256(bytes))).to.equal(true)
        expect(browserPort.sha256Text(text)).to.equal(nodePort.sha256Text(text))
        expect(browserPort.hmacSha256(bytes)(text)).to.equal(nodePort.hmacSha256(bytes)(text))
      }),
    )
  })
})
