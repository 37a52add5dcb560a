import { expect } from 'chai'
import fc from 'fast-check'
import { Problem } from '../../../base/problem.ts'
import type { Envelope } from '../../../gateway/envelope/envelope.ts'
import { createEnvelopeBench } from '../../support/envelopes.ts'

const WEAK = (...names: string[]) =>
  `weak: { accepted: [ ${names.join(', ')} ], by: 李合规, until: 2027-01-31 }`
const SIGN = (algorithm: string, keys = 'key: keys/secret', more = 'over: sorted') =>
  `sign: { algorithm: ${algorithm}, member: sign, ${more}, ${keys} }`
const PAIR = (type: string) => `ours: keys/a.${type}, theirs: keys/b.${type}.pub`
const JWK = (type: string) => `ours: keys/a.${type}.jwk, theirs: keys/b.${type}.pub.jwk`
const WRAP = (algorithm: string, keys: string, cipher = 'aes-128-cbc', more = '') =>
  `cipher: { algorithm: ${cipher}, wrap: { algorithm: ${algorithm}, member: key, ${keys}${more} } }`

interface Row {
  readonly name: string
  readonly yaml: readonly string[]
  readonly algorithm: string
  readonly weak?: readonly string[]
  /** Every member of the outer document. */
  readonly members?: readonly string[]
}

const CHANNEL = 'json: { data: data, constants: { channelCode: SUN01 } }'
// prettier-ignore
const ENVELOPES: readonly Row[] = [
  { name: 'aes-256-gcm, whole body',      yaml: ['cipher: { algorithm: aes-256-gcm, key: keys/key32 }'],                                     algorithm: 'aes-256-gcm, iv prefix' },
  { name: 'aes-128-gcm in a member, hex', yaml: [CHANNEL, 'cipher: { algorithm: aes-128-gcm, encoding: hex, key: keys/key16 }'],            algorithm: 'json, aes-128-gcm, iv prefix', members: ['channelCode', 'data'] },
  { name: 'sm4-gcm, nonce in a member',   yaml: [CHANNEL, 'cipher: { algorithm: sm4-gcm, iv: { member: iv }, key: keys/key16 }'],           algorithm: 'json, sm4-gcm, iv member', members: ['channelCode', 'data', 'iv'] },
  { name: 'aes-256-cbc with HMAC',        yaml: [CHANNEL, 'cipher: { algorithm: aes-256-cbc, key: keys/key32 }', SIGN('hmac-sha256')],      algorithm: 'json, aes-256-cbc, iv prefix, hmac-sha256 over sorted', members: ['channelCode', 'data', 'sign'] },
  { name: 'sm4-cbc with HMAC-SM3',        yaml: [CHANNEL, 'cipher: { algorithm: sm4-cbc, key: keys/key16 }', SIGN('hmac-sm3')],             algorithm: 'json, sm4-cbc, iv prefix, hmac-sm3 over sorted', members: ['channelCode', 'data', 'sign'] },
  { name: 'sm4-cbc, SM2 key and SM2 sign', yaml: ['json: { data: data }', WRAP('sm2', PAIR('sm2'), 'sm4-cbc'), SIGN('sm2-sm3', PAIR('sm2'))], algorithm: 'json, sm4-cbc, iv prefix, key by sm2, sm2-sm3 over sorted', members: ['data', 'key', 'sign'] },
  { name: 'aes-128-cbc, RSA key and sign', yaml: ['json: { data: data }', WRAP('rsa-oaep-256', PAIR('rsa')), SIGN('rsa-sha256', PAIR('rsa'))], algorithm: 'json, aes-128-cbc, iv prefix, key by rsa-oaep-256, rsa-sha256 over sorted', members: ['data', 'key', 'sign'] },
  { name: 'app_id, params, sign: RSA',    yaml: ['json: { data: params, constants: { app_id: SG-1 } }', SIGN('rsa-sha256', PAIR('rsa'))],    algorithm: 'json, rsa-sha256 over sorted', members: ['app_id', 'params', 'sign'] },
  { name: 'app_id, params, sign: HMAC',   yaml: ['json: { data: params, constants: { app_id: SG-1 }, timestamp: ts, nonce: nonce }', SIGN('hmac-sha256', 'encoding: hex, key: keys/secret')], algorithm: 'json, hmac-sha256 over sorted', members: ['app_id', 'params', 'sign', 'ts', 'nonce'] },
  { name: 'params signed alone',          yaml: ['json: { data: params }', SIGN('hmac-sha256', 'key: keys/secret', 'over: data')],           algorithm: 'json, hmac-sha256 over data', members: ['params', 'sign'] },
  { name: 'JWE ECDH-ES',                  yaml: [`jwe: { algorithm: ECDH-ES, encryption: A256GCM, ${JWK('ec')} }`],                          algorithm: 'JWE ECDH-ES A256GCM' },
  { name: 'JWE RSA-OAEP-256, CBC-HMAC',   yaml: [`jwe: { algorithm: RSA-OAEP-256, encryption: A128CBC-HS256, ${JWK('rsa')} }`],              algorithm: 'JWE RSA-OAEP-256 A128CBC-HS256' },
  { name: 'JWE dir',                      yaml: ['jwe: { algorithm: dir, encryption: A256GCM, key: keys/key32 }'],                           algorithm: 'JWE dir A256GCM' },
  { name: 'JWS ES256',                    yaml: [`jws: { algorithm: ES256, ${JWK('ec')} }`],                                                 algorithm: 'JWS ES256' },
  { name: 'JWS HS256',                    yaml: ['jws: { algorithm: HS256, key: keys/key32 }'],                                              algorithm: 'JWS HS256' },
  { name: 'a JWS inside a JWE',           yaml: [`jwe: { algorithm: ECDH-ES+A256KW, encryption: A256GCM, ${JWK('ec')} }`, `jws: { algorithm: ES256, ${JWK('ec')} }`], algorithm: 'JWE ECDH-ES+A256KW A256GCM, JWS ES256' },
  { name: 'weak: MD5 with a key',         yaml: ['json: { data: params }', SIGN('md5', 'encoding: hex, key: keys/secret'), WEAK('md5')],      algorithm: 'json, md5 over sorted',               weak: ['md5'], members: ['params', 'sign'] },
  { name: 'weak: RSA with SHA-1',         yaml: ['json: { data: params }', SIGN('rsa-sha1', PAIR('rsa')), WEAK('sha1')],                     algorithm: 'json, rsa-sha1 over sorted',          weak: ['sha1'], members: ['params', 'sign'] },
  { name: 'weak: PKCS#1 v1.5',            yaml: ['json: { data: data }', WRAP('rsa-pkcs1', PAIR('rsa'), 'aes-128-gcm'), WEAK('pkcs1-v1.5')], algorithm: 'json, aes-128-gcm, iv prefix, key by rsa-pkcs1', weak: ['pkcs1-v1.5'], members: ['data', 'key'] },
  { name: 'weak: zero IV',                yaml: [CHANNEL, 'cipher: { algorithm: aes-256-cbc, iv: zero, key: keys/key32 }', SIGN('hmac-sha256'), WEAK('zero-iv')], algorithm: 'json, aes-256-cbc, iv zero, hmac-sha256 over sorted', weak: ['zero-iv'], members: ['channelCode', 'data', 'sign'] },
  { name: 'weak: fixed IV, no MAC',       yaml: ['cipher: { algorithm: sm4-cbc, iv: { fixed: keys/iv16 }, encoding: hex, key: keys/key16 }', WEAK('fixed-iv', 'unauthenticated')], algorithm: 'sm4-cbc, iv fixed', weak: ['fixed-iv', 'unauthenticated'] },
  { name: 'weak: ECB, no MAC',            yaml: [CHANNEL, 'cipher: { algorithm: aes-128-ecb, key: keys/key16 }', WEAK('ecb', 'unauthenticated')], algorithm: 'json, aes-128-ecb',          weak: ['ecb', 'unauthenticated'], members: ['channelCode', 'data'] },
]

const INNER = Buffer.from('{"amount":1.10,"name":"王小明","n":12345678901234567890}')

describe('an envelope', () => {
  const bench = createEnvelopeBench()
  after(() => bench.remove())
  const yamlOf = (lines: readonly string[]) => `  - id: e\n    ${lines.join('\n    ')}\n`
  const openTwo = async (lines: readonly string[]): Promise<[Envelope, Envelope]> => {
    const [here, there] = [
      await bench.open(yamlOf(lines)),
      await bench.open(yamlOf(lines), 'there'),
    ]
    const [a, b] = [here.get('e'), there.get('e')]
    if (a === undefined || b === undefined) throw new Error('no envelope')
    return [a, b]
  }
  const outer = (envelope: { mediaType: string }, body: Buffer) => ({
    head: new Map([['content-type', envelope.mediaType]]),
    body,
  })
  const failureOf = async (work: Promise<unknown>): Promise<Problem> => {
    try {
      await work
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
    throw new Error('it was opened')
  }

  for (const { name, yaml, algorithm, weak = [], members = [] } of ENVELOPES) {
    it(`${name}: opens what the partner sealed, byte for byte`, async () => {
      const [here, there] = await openTwo(yaml)
      const sealed = await there.seal(INNER)
      expect(sealed.headers).to.deep.equal([])
      expect(await here.open(outer(sealed, sealed.body))).to.deep.equal(INNER)
      expect(here.facts).to.deep.equal({ name: 'e', algorithm, weak })
    })

    it(`${name}: refuses ${weak.includes('unauthenticated') ? 'each cut' : 'each changed byte'}`, async () => {
      const [here, there] = await openTwo(yaml)
      const { body, mediaType } = await there.seal(INNER)
      for (let at = 0; at < body.length; at++) {
        const changed = weak.includes('unauthenticated')
          ? body.subarray(0, at)
          : Buffer.from(body.map((byte, index) => (index === at ? byte ^ 1 : byte)))
        if (weak.includes('unauthenticated') && isWholeBlocks(changed)) continue
        const { slug, message } = await failureOf(here.open(outer({ mediaType }, changed)))
        expect(slug, `byte ${at}`).to.equal('envelope-unreadable')
        expect(message).to.not.match(/王|12345678901234567890/)
      }
    }).timeout(60_000)

    it(`${name}: carries any body of text, and nothing else`, async () => {
      const [here, there] = await openTwo(yaml)
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (text) => {
          const inner = Buffer.from(text.toWellFormed())
          const sealed = await there.seal(inner)
          expect(await here.open(outer(sealed, sealed.body))).to.deep.equal(inner)
          if (sealed.mediaType !== 'application/json') return
          const names = Object.keys(JSON.parse(sealed.body.toString()) as object)
          expect(names.toSorted()).to.deep.equal(members.toSorted())
        }),
        { numRuns: 10 },
      )
    }).timeout(60_000)
  }

  /** Cut between blocks, CBC without a MAC opens to a part: that is what the weakness says. */
  function isWholeBlocks(body: Buffer): boolean {
    const text = body.toString('latin1')
    return /^[0-9a-f]+$/.test(text) && text.length % 32 === 0
  }

  it('tells every failed opening alike, whatever failed', async () => {
    const weak = WEAK('pkcs1-v1.5', 'unauthenticated')
    const [here, there] = await openTwo([
      'json: { data: data }',
      WRAP('rsa-pkcs1', PAIR('rsa')),
      weak,
    ])
    const sealed = JSON.parse((await there.seal(INNER)).body.toString()) as Record<string, string>
    const flip = (text: string, at: number) => {
      const bytes = Buffer.from(text, 'base64')
      bytes[at] = (bytes[at] ?? 0) ^ 1
      return bytes.toString('base64')
    }
    const { key = '', data = '' } = sealed
    const length = Buffer.from(data, 'base64').length
    const bodies = [
      { key: flip(key, 9), data },
      { key: key.slice(4), data },
      { key: 'AA', data },
      { key, data: flip(data, length - 17) },
      { key, data: flip(data, length - 1) },
      { key, data: data.slice(0, 20) },
      { key, data: '' },
      { key, data: `${data} ` },
    ]
    const told = new Set<string>()
    for (const body of bodies) {
      const bytes = Buffer.from(JSON.stringify(body))
      const { slug, message } = await failureOf(
        here.open(outer({ mediaType: 'application/json' }, bytes)),
      )
      told.add(`${slug} ${message}`)
    }
    expect([...told]).to.deep.equal(['envelope-unreadable envelope `e` cannot be opened'])
  })

  // prettier-ignore
  const DOCUMENTS = [
    { name: 'a member twice',       body: '{"params":"{}","params":"{}","app_id":"1","sign":"x"}', detail: /params|twice|name/ },
    { name: 'a member too many',    body: '{"params":"{}","app_id":"1","sign":"x","mobile":"1"}',  detail: /a member was not agreed on/ },
    { name: 'a missing member',     body: '{"params":"{}","app_id":"1"}',                          detail: /`sign` is missing/ },
    { name: 'a nested member',      body: '{"params":{},"app_id":"1","sign":"x"}',                 detail: /expected `params` to be text/ },
    { name: 'another constant',     body: '{"params":"{}","app_id":"2","sign":"x"}',               detail: /`app_id` has another value/ },
    { name: 'no object',            body: '[]',                                                    detail: /expected an object/ },
    { name: 'no JSON',              body: 'params={}',                                             detail: /./ },
    { name: 'no body',              body: '',                                                      detail: /expected a body/ },
    { name: 'a signature of none',  body: '{"params":"{}","app_id":"1","sign":""}',                detail: /cannot be opened/ },
  ]
  for (const { name, body, detail } of DOCUMENTS) {
    it(`refuses ${name}`, async () => {
      const [here] = await openTwo([
        'json: { data: params, constants: { app_id: "1" }, ignored: [ requestNo ] }',
        SIGN('hmac-sha256'),
      ])
      const { slug, message } = await failureOf(
        here.open(outer({ mediaType: 'application/json' }, Buffer.from(body))),
      )
      expect(slug).to.equal('envelope-unreadable')
      expect(message).to.match(detail)
    })
  }

  it('refuses another media type', async () => {
    const [here] = await openTwo(['cipher: { algorithm: aes-256-gcm, key: keys/key32 }'])
    const { slug } = await failureOf(here.open(outer({ mediaType: 'text/html' }, Buffer.from('x'))))
    expect(slug).to.equal('media-type-unsupported')
  })

  it('seals equal bodies to unequal texts, but where it is weak', async () => {
    const [fresh] = await openTwo([
      CHANNEL,
      'cipher: { algorithm: aes-256-cbc, key: keys/key32 }',
      SIGN('hmac-sha256'),
    ])
    expect((await fresh.seal(INNER)).body.equals((await fresh.seal(INNER)).body)).to.equal(false)
    const [zero] = await openTwo([
      CHANNEL,
      'cipher: { algorithm: aes-256-cbc, iv: zero, key: keys/key32 }',
      SIGN('hmac-sha256'),
      WEAK('zero-iv'),
    ])
    expect((await zero.seal(INNER)).body.equals((await zero.seal(INNER)).body)).to.equal(true)
  })
})

describe('time and nonce of an envelope', () => {
  let nowUs = BigInt(Date.UTC(2026, 10, 27)) * 1000n
  const clock = { wallUs: () => nowUs, monotonicUs: () => nowUs }
  const bench = createEnvelopeBench(clock as never)
  after(() => bench.remove())
  const yaml = `  - id: e\n    json: { data: d, timestamp: t, nonce: n }\n    ${SIGN('hmac-sha256')}\n`
  const minutes = (count: number) => BigInt(count) * 60_000_000n

  // prettier-ignore
  const TIMES = [
    { name: 'accepts one of now',                     sealed: 20, opened: 20, again: false, want: undefined },
    { name: 'accepts one of fifteen minutes ago',     sealed: 20, opened: 35, again: false, want: undefined },
    { name: 'refuses one of sixteen minutes ago',     sealed: 20, opened: 36, again: false, want: /15 minutes off/ },
    { name: 'refuses one of sixteen minutes ahead',   sealed: 36, opened: 20, again: false, want: /15 minutes off/ },
    { name: 'refuses one from before the start',      sealed: -1, opened: 1,  again: false, want: /before this gateway started/ },
    { name: 'refuses one that was used',              sealed: 20, opened: 20, again: true,  want: /was used before/ },
  ]
  for (const { name, sealed, opened, again, want } of TIMES) {
    it(name, async () => {
      const started = nowUs
      const envelope = (await bench.open(yaml)).get('e')
      nowUs = started + minutes(sealed)
      const { body, mediaType } = (await envelope?.seal(INNER)) ?? { body: INNER, mediaType: '' }
      nowUs = started + minutes(opened)
      const open = () => envelope?.open({ head: new Map([['content-type', mediaType]]), body })
      try {
        if (again) await open()
        const result = await open()
        expect(want, 'it was opened').to.equal(undefined)
        expect(result).to.deep.equal(INNER)
      } catch (error) {
        if (want === undefined || !(error instanceof Problem)) throw error
        expect(error.message).to.match(want)
        expect(error.slug).to.equal(again ? 'envelope-replayed' : 'envelope-unreadable')
      }
    })
  }

  it('ends with the sign-off of its weakness', async () => {
    const weak = `  - id: e\n    json: { data: d }\n    ${SIGN('md5')}\n    ${WEAK('md5')}\n`
    const envelope = (await bench.open(weak)).get('e')
    nowUs = BigInt(Date.UTC(2027, 0, 31, 15, 59)) * 1000n
    expect((await envelope?.seal(INNER))?.mediaType).to.equal('application/json')
    nowUs = BigInt(Date.UTC(2027, 0, 31, 16)) * 1000n // The next day in China.
    const refused = envelope?.seal(INNER)
    const problem = await refused?.then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(problem).to.be.instanceOf(Problem).with.property('slug', 'policy-refused')
  })

  it('is not opened when a weakness is accepted for years', async () => {
    nowUs = BigInt(Date.UTC(2025, 0, 1)) * 1000n
    const weak = `  - id: e\n    json: { data: d }\n    ${SIGN('md5')}\n    ${WEAK('md5')}\n`
    const fault: unknown = await bench.open(weak).catch((error: unknown) => error)
    expect(String(fault)).to.match(/sealgate\.yaml:4:9: .*more than a year/)
  })
})
