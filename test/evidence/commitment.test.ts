import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as commitment from '../../evidence/commitment.ts'

const SPECIFICATION = new URL(
  '../vectors/sd-jwt/examples/simple/specification.yml',
  import.meta.url,
)
const SD_TAG = { tag: '!sd', resolve: (text: string) => text }
const USER_CLAIMS = (
  parse(readFileSync(SPECIFICATION, 'utf8'), { customTags: [SD_TAG] }) as {
    user_claims: Record<string, unknown>
  }
).user_claims
const KEY = Buffer.alloc(32, 1)
const secret = commitment.derivedSecrets(KEY).secretOf('rid-1')
const noise = (size: number) => Buffer.alloc(size, 5)

describe('commitment', () => {
  it('agrees with the published digest of RFC 9901 §4.2.3', () => {
    const text = '["_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius"]'
    const disclosure = Buffer.from(text).toString('base64url')
    expect(disclosure).to.equal(
      'WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0',
    )
    const digest = 'X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0'
    expect(commitment.disclosureDigest(disclosure)).to.equal(digest)
    expect(commitment.verifyDisclosure(disclosure, [digest])).to.deep.equal({
      salt: '_26bc4LT-ac6q2KI6cBW5es',
      name: 'family_name',
      json: '"Möbius"',
    })
  })

  // prettier-ignore
  const RFC_9901_5_1 = [
    { name: 'given_name',            salt: '2GLC42sKQveCfGfryNRN9w', digest: 'jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4' },
    { name: 'family_name',           salt: 'eluV5Og3gSNII8EYnsxA_A', digest: 'TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo' },
    { name: 'email',                 salt: '6Ij7tM-a5iVPGboS5tmvVA', digest: 'JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE' },
    { name: 'phone_number',          salt: 'eI8ZWm9QnKPpNPeNenHdhQ', digest: 'PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI' },
    { name: 'phone_number_verified', salt: 'Qg_O64zqAxe412a108iroA', digest: 'XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM' },
    { name: 'birthdate',             salt: 'Pc33JM2LchcU_lHggv_ufQ', digest: 'gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM' },
    { name: 'updated_at',            salt: 'G02NSrQfjFXQ7Io09syajA', digest: 'CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI' },
  ]
  for (const { name, salt, digest } of RFC_9901_5_1) {
    it(`opens \`${name}\` of RFC 9901 §5.1, whose disclosures have a space after each comma`, () => {
      const json = JSON.stringify(USER_CLAIMS[name])
      const disclosure = Buffer.from(`["${salt}", "${name}", ${json}]`).toString('base64url')
      expect(commitment.disclosureDigest(disclosure)).to.equal(digest)
      expect(commitment.verifyDisclosure(disclosure, [digest])).to.deep.equal({ salt, name, json })
    })
  }

  it('derives salts of 32 bytes by HMAC, one per record and name', () => {
    const want = createHmac('sha256', secret).update('f:$.a').digest('base64url')
    expect(commitment.saltOf(secret, 'f:$.a')).to.equal(want)
    expect(Buffer.from(want, 'base64url')).to.have.length(32)
    const other = commitment.derivedSecrets(KEY).secretOf('rid-2')
    expect(commitment.saltOf(other, 'f:$.a')).to.not.equal(want)
  })

  it('opens what was committed, spelling included, and nothing else', () => {
    const claims = [
      { name: 'f:$.amount', json: '1.10' },
      { name: 'f:$.name', json: '"\\u5f20"' },
    ]
    const sd = commitment.withDecoys(commitment.commit(secret, claims), noise)
    const disclosure = commitment.openClaim(secret, sd, 'f:$.amount', '1.10')
    expect(commitment.verifyDisclosure(disclosure ?? '', sd)).to.include({ name: 'f:$.amount', json: '1.10' }) // prettier-ignore
    // prettier-ignore
    const closed = [
      { name: 'f:$.amount',  json: '1.1',         from: secret },
      { name: 'f:$.name',    json: '"张"',         from: secret },
      { name: 'f:$.other',   json: '1.10',        from: secret },
      { name: 'f:$.amount',  json: '1.10',        from: Buffer.alloc(32) },
    ]
    for (const { name, json, from } of closed) {
      expect(commitment.openClaim(from, sd, name, json), `${name} ${json}`).to.equal(undefined)
    }
  })

  it('never uses a name, and so a salt, twice in a record', () => {
    const taken = new Set<string>()
    const same = [
      { name: 'x', json: '1' },
      { name: 'x', json: '2' },
    ]
    const named = [1, 2].flatMap(() => commitment.nameClaims(same, taken))
    const sd = commitment.commit(secret, named)
    expect([...taken]).to.deep.equal(['x', 'x#2', 'x#3', 'x#4'])
    expect(commitment.openClaim(secret, sd, 'x#4', '2')).to.be.a('string')
    expect(commitment.openClaim(secret, sd, 'x#2', '1')).to.equal(undefined)
  })

  it('pads to a multiple of 8 and sorts', () => {
    for (const count of [0, 1, 7, 8, 9]) {
      const claims = Array.from({ length: count }, (_, index) => ({ name: `n${index}`, json: '0' }))
      const sd = commitment.withDecoys(commitment.commit(secret, claims), noise)
      expect(sd).to.have.length(8 * Math.ceil(count / 8))
      expect(sd).to.deep.equal([...sd].sort())
      expect(sd.every((digest) => /^[A-Za-z0-9_-]{43}$/.test(digest))).to.equal(true)
    }
  })

  it('does not tell how many digests are decoys, nor which', () => {
    const shapes = new Map<string, number>()
    const places = new Set<number>()
    for (let run = 0; run < 400; run++) {
      // One to eight claims, and a secret of its own, as each record has one.
      const of = commitment.derivedSecrets(KEY).secretOf(`rid-${run}`)
      const claims = Array.from({ length: 1 + (run % 8) }, (_, at) => ({
        name: `n${at}`,
        json: '0',
      }))
      const real = commitment.commit(of, claims)
      const sd = commitment.withDecoys(real, randomBytes)
      expect(sd).to.include.members(real)
      expect(new Set(sd).size).to.equal(8)
      const shape = sd.map((digest) => Buffer.from(digest, 'base64url').length).join()
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1)
      if (real.length === 1) places.add(sd.indexOf(real[0] ?? ''))
    }
    expect([...shapes]).to.deep.equal([['32,32,32,32,32,32,32,32', 400]])
    // The one true digest stands anywhere; that 50 records leave out half of the places is no chance.
    expect(places.size).to.be.greaterThan(4)
  })

  it('round-trips any name and JSON value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), (name, value) => {
        fc.pre(name !== '_sd' && name !== '...')
        const json = JSON.stringify(value)
        const sd = commitment.commit(secret, [{ name, json }])
        const opened = commitment.verifyDisclosure(commitment.openClaim(secret, sd, name, json) ?? '', sd) // prettier-ignore
        expect(opened).to.include({ name, json })
      }),
    )
  })

  // prettier-ignore
  const REFUSED = [
    { name: 'two members',      text: '["salt","name"]' },
    { name: 'four members',     text: '["salt","name",1,2]' },
    { name: 'no array',         text: '{"a":1}' },
    { name: 'a number as name', text: '["salt",1,2]' },
    { name: 'a number as salt', text: '[1,"name",2]' },
    { name: 'the name _sd',     text: '["salt","_sd",[]]' },
    { name: 'the name ...',     text: '["salt","...",""]' },
    { name: 'no JSON',          text: '["salt","name",01]' },
    { name: 'bad UTF-8',        text: Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]) },
  ]
  for (const { name, text } of REFUSED) {
    it(`refuses a disclosure with ${name}, whatever its digest`, () => {
      const disclosure = Buffer.from(text as string).toString('base64url')
      const sd = [commitment.disclosureDigest(disclosure)]
      expect(commitment.verifyDisclosure(disclosure, sd)).to.equal(undefined)
    })
  }

  it('refuses a second spelling of a disclosure', () => {
    const padded = `${commitment.makeDisclosure('c2FsdA', 'n', '1')}=`
    const sd = [commitment.disclosureDigest(padded)]
    expect(commitment.verifyDisclosure(padded, sd)).to.equal(undefined)
  })
})
