import { expect } from 'chai'
import { compactVerify } from 'jose'
import { X509Certificate, generateKeyPairSync, hash } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { createSealer, readRecord, type SealKey } from '../../evidence/seal.ts'
import { testIdentity } from './support.ts'

const PAYLOAD = '{"_sd":[],"instance":"i","kind":"exchange","prev":"p","rid":"r","seq":1,"v":1}'

describe('seal', () => {
  let key: SealKey
  let jws: string
  before(async () => {
    key = await testIdentity()
    jws = createSealer(key)(PAYLOAD, 1_700_000_000)
  })

  it('makes a JWS that jose verifies, over exactly the payload', async () => {
    const { publicKey } = new X509Certificate(key.certificateDer)
    const { payload, protectedHeader } = await compactVerify(jws, publicKey)
    expect(Buffer.from(payload).toString()).to.equal(PAYLOAD)
    expect(protectedHeader.alg).to.equal('ES256')
  })

  it('writes the four header members in JCS order and nothing else', () => {
    const header = Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()
    const thumbprint = hash('sha256', key.certificateDer, 'base64url')
    expect(header).to.equal(
      `{"alg":"ES256","iat":1700000000,"typ":"evr+jwt","x5t#S256":"${thumbprint}"}`,
    )
  })

  it('reads its own record back', () => {
    const { header, payload, signature, signingInput } = readRecord(jws)
    expect(header.iat).to.equal(1_700_000_000)
    expect(payload).to.deep.equal(JSON.parse(PAYLOAD))
    expect(`${signingInput}.${signature.toString('base64url')}`).to.equal(jws)
  })

  it('refuses a key that is not P-256 or not of the certificate', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    for (const [privateKey, detail] of [
      [p384, 'not a P-256'],
      [other, 'does not fit'],
    ] as const) {
      expect(() => createSealer({ ...key, privateKey }))
        .to.throw(Problem, detail)
        .with.property('slug', 'key-unusable')
    }
  })

  const b64 = (text: string) => Buffer.from(text).toString('base64url')
  // prettier-ignore
  const REFUSED: { name: string; change: (head: string, body: string, tail: string) => string; detail: string }[] = [
    { name: 'two segments',              change: (h, b) => `${h}.${b}`,                      detail: 'three segments' },
    { name: 'four segments',             change: (h, b, t) => `${h}.${b}.${t}.`,             detail: 'three segments' },
    { name: 'padding',                   change: (h, b, t) => `${h}.${b}.${t}==`,            detail: 'canonical base64url' },
    { name: 'a space in the signature',  change: (h, b, t) => `${h}.${b}.${t.slice(0, 9)} ${t.slice(9)}`, detail: 'canonical base64url' },
    { name: 'a trailing newline',        change: (h, b, t) => `${h}.${b}.${t}\n`,            detail: 'canonical base64url' },
    { name: 'a short signature',         change: (h, b, t) => `${h}.${b}.${t.slice(0, -6)}`, detail: '64 bytes' },
    { name: 'another algorithm',         change: (_h, b, t) => `${b64('{"alg":"none"}')}.${b}.${t}`, detail: 'header is not exactly' },
    { name: 'spaces in the header',      change: (h, b, t) => `${b64(Buffer.from(h, 'base64url').toString() + ' ')}.${b}.${t}`, detail: 'header is not exactly' },
    { name: 'a payload that is no JSON', change: (h, _b, t) => `${h}.${b64('{')}.${t}`,      detail: 'not JSON' },
    { name: 'a payload without seq',     change: (h, _b, t) => `${h}.${b64('{"v":1}')}.${t}`, detail: 'a record needs' },
  ]
  for (const { name, change, detail } of REFUSED) {
    it(`refuses a record with ${name}`, () => {
      const [head = '', body = '', tail = ''] = jws.split('.')
      expect(() => readRecord(change(head, body, tail)))
        .to.throw(Problem, detail)
        .with.property('slug', 'job-invalid')
    })
  }

  it('refuses non-zero trailing bits of the signature', () => {
    const last = jws.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const other = alphabet[alphabet.indexOf(last) ^ 1] ?? ''
    expect(() => readRecord(jws.slice(0, -1) + other)).to.throw(Problem, 'canonical base64url')
  })
})
