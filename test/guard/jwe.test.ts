import { createHash, generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { CompactEncrypt } from 'jose'
import { Problem } from '../../base/problem.ts'
import { type Allowed, ENCRYPTED } from '../../gateway/guard/allowed.ts'
import { createGuard } from '../../gateway/guard/guard.ts'
import { openJwe } from '../../gateway/guard/jwe.ts'
import { loadDictionary } from './dictionary.ts'

const HEADER = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: 'court-1' }
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const SEED = process.env['SEED'] ?? '20261127'

/** Random text of a length, the same for each index of a seed. */
function randomText(index: number, part: string, length: number): string {
  const hash = createHash('shake256', { outputLength: length })
  return hash.update(`${SEED} ${part} ${index}`).digest('base64url')
}

/** As `encrypt` writes it, but for the work on the curve: ephemeral key, wrapped key, nonce, text, tag. */
function jweOf(index: number): string {
  const [x, y] = [randomText(index, 'x', 32), randomText(index, 'y', 32)]
  const header = encode({ ...HEADER, epk: { x, crv: 'P-256', kty: 'EC', y } })
  const text = randomText(index, 'text', 18)
  return `${header}.${randomText(index, 'key', 40)}.${randomText(index, 'nonce', 12)}.${text}.${randomText(index, 'tag', 16)}`
}

const guard = createGuard(loadDictionary())
const inspect = (member: string, value: string, allowed: Allowed) =>
  guard.inspect({
    headers: [],
    query: '',
    path: '',
    body: Buffer.from(JSON.stringify({ [member]: value })),
    mediaType: 'application/json',
    allowed,
  })
const AT_ID: Allowed = new Map([[ENCRYPTED, new Set(['body:idNo'])]])

/** The third part of what looks like a passport number in the key of this one. */
const [, , NONCE = '', TEXT = '', TAG = ''] = jweOf(0).split('.')
const WITH_PASSPORT = `${encode(HEADER)}.${'Zm9v'.repeat(11)}-E12345678-Y.${NONCE}.${TEXT}.${TAG}`
const withParts = (header: unknown, text = TEXT) =>
  `${encode(header)}.Zm9v-E12345678-Y.${NONCE}.${text}.${TAG}`
const inText = (text: string) => Buffer.from(text).toString('base64url')

// prettier-ignore
const REFUSED: { name: string; member?: string; value: string; allowed?: Allowed; want: string }[] = [
  { name: 'a JWE where nothing is encrypted',     value: WITH_PASSPORT, allowed: new Map(),      want: '`passport`' },
  { name: 'a JWE at another place',               value: WITH_PASSPORT, member: 'passportNo',    want: '`passport`' },
  { name: 'four parts',                           value: WITH_PASSPORT.slice(0, -23),            want: '`passport`' },
  { name: 'six parts',                            value: `${WITH_PASSPORT}.E12345678`,           want: '`passport`' },
  { name: 'text behind it',                       value: `${WITH_PASSPORT} E12345678`,           want: '`passport`' },
  { name: 'a header without `alg`',               value: withParts({ enc: 'A256GCM' }),          want: '`passport`' },
  { name: 'a header without `enc`',               value: withParts({ alg: 'ECDH-ES' }),          want: '`passport`' },
  { name: 'a header that is no JSON',             value: `eyJh.Zm9v-E12345678-Y.${NONCE}.${TEXT}.${TAG}`, want: '`passport`' },
  { name: 'a header of base64 with loose bits',   value: WITH_PASSPORT.replace(/^[^.]+/, (header) => `${header.slice(0, -1)}R`), want: '`passport`' },
  { name: 'a short nonce',                        value: WITH_PASSPORT.replace(NONCE, NONCE.slice(4)), want: '`passport`' },
  { name: 'a mobile number in the header',        value: withParts({ ...HEADER, kid: '13800138000' }), want: '`mobile`' },
  { name: 'a mobile number for a coordinate',     value: withParts({ ...HEADER, epk: { x: '13800138000' } }), want: '`mobile`' },
  { name: 'a mobile number encoded as one',       value: withParts({ ...HEADER, epk: { x: inText('tel 13800138000, and so on and on') } }), want: '`mobile`' },
  { name: 'a header with one name twice',         value: `${inText('{"alg":"x","enc":"A256GCM","kid":"13800138000","kid":"x"}')}.${WITH_PASSPORT.split('.').slice(1).join('.')}`, want: '`mobile`' },
  { name: 'a mobile number for the text',         value: withParts(HEADER, '13800138000'),       want: '`mobile`' },
  { name: 'a mobile number encoded as the text',  value: withParts(HEADER, inText('tel 13800138000')), want: '`mobile`' },
  { name: 'a passport number in the clear',       value: 'E12345678',                            want: '`passport`' },
]

describe('openJwe', () => {
  it('lets pass a JWE that holds the like of a passport number, where one is written', () => {
    expect(openJwe(WITH_PASSPORT)).to.equal(WITH_PASSPORT)
    expect(inspect('idNo', WITH_PASSPORT, AT_ID)).to.deep.equal([])
  })
  for (const alg of ['ECDH-ES', 'ECDH-ES+A256KW', 'RSA-OAEP-256']) {
    it(`knows what is encrypted with ${alg}`, async () => {
      const { publicKey } = alg.startsWith('RSA')
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const encryption = new CompactEncrypt(Buffer.from('11010519491231002X'))
      const jwe = await encryption.setProtectedHeader({ ...HEADER, alg }).encrypt(publicKey)
      expect(openJwe(jwe)).to.not.equal(undefined)
      expect(inspect('idNo', jwe, AT_ID)).to.deep.equal([])
    })
  }
  for (const { name, member = 'idNo', value, allowed = AT_ID, want } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(() => inspect(member, value, allowed))
        .to.throw(Problem, want)
        .with.property('slug', 'leak-detected')
    })
  }
  it(`takes none of 20,000 JWEs for a number, seed ${SEED}`, () => {
    let without = 0
    for (let index = 0; index < 20_000; index++) {
      const jwe = jweOf(index)
      expect(inspect('idNo', jwe, AT_ID), `JWE ${index}`).to.deep.equal([])
      try {
        if (inspect('idNo', jwe, new Map()).length > 0) without++
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        without++
      }
    }
    // The same values elsewhere: the rule makes the difference.
    expect(without).to.be.greaterThan(0)
  })
})
