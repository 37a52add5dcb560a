import { expect } from 'chai'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { Problem } from '../../../base/problem.ts'
import { ConfigFault } from '../../../gateway/fault.ts'
import { type Parties, openParties } from '../../../gateway/party/registry.ts'
import { type TestParty, createTestParty } from '../../support/party.ts'

const NOW = Math.floor(Date.now() / 1000)
const clock: Clock = { wallUs: () => BigInt(NOW) * 1_000_000n, monotonicNs: () => 0n }
const REQUEST = { socket: {} } as IncomingMessage

// prettier-ignore
const CLAIMS: { name: string; claims: Record<string, unknown>; header?: object; detail?: RegExp; slug?: string }[] = [
  { name: 'five minutes',               claims: { exp: NOW + 300 } },
  { name: 'a clock ten seconds ahead',  claims: { iat: NOW + 10, exp: NOW + 310 } },
  { name: 'an audience among others',   claims: { aud: ['urn:x', 'urn:sealgate:harbour-bank'] } },
  { name: 'six minutes',                claims: { exp: NOW + 360 },                   detail: /`exp` is more than 300 s ahead/ },
  { name: 'an expired one',             claims: { iat: NOW, exp: NOW - 20 },          detail: /`exp` is in the past/ },
  { name: 'no exp',                     claims: { exp: undefined },                   detail: /`exp`/ },
  { name: 'no iat',                     claims: { iat: undefined },                   detail: /`iat`/ },
  { name: 'an iat ahead',               claims: { iat: NOW + 30 },                    detail: /`iat` is in the future/ },
  { name: 'an iat before the start',    claims: { iat: NOW - 1 },                     detail: /before this gateway started/ },
  { name: 'not yet valid',              claims: { nbf: NOW + 60 },                    detail: /`nbf`/ },
  { name: 'another subject',            claims: { sub: 'harbour-bank' },              detail: /`sub`/ },
  { name: 'another recipient',          claims: { aud: 'urn:sealgate:other-bank' },   detail: /`aud`/ },
  { name: 'no audience',                claims: { aud: undefined },                   detail: /`aud`/ },
  { name: 'no jti',                     claims: { jti: undefined },                   detail: /`jti`/ },
  { name: 'an empty jti',               claims: { jti: '' },                          detail: /`jti`/ },
  { name: 'a jti that is no text',      claims: { jti: 7 },                           detail: /`jti`/ },
  { name: 'a long jti',                 claims: { jti: 'x'.repeat(129) },             detail: /`jti`/ },
  { name: 'an unknown issuer',          claims: { iss: 'nobody' },                    detail: /not a party/ },
  { name: 'a party without keys',       claims: { iss: 'harbour-bank' },              detail: /not a party/ },
  { name: 'no issuer',                  claims: { iss: undefined },                   detail: /`iss`/ },
  { name: 'an unknown kid',             claims: {}, header: { kid: 'k2' },            detail: /no registered key/ },
]

describe('JWT authentication', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-party-'))
  after(() => rmSync(folder, { recursive: true }))
  let sunrise: TestParty
  let parties: Parties

  before(async () => {
    sunrise = await createTestParty('sunrise-platform', 'ES256', () => NOW)
    parties = openParties(
      [
        {
          id: 'sunrise-platform',
          role: 'platform',
          auth: [{ method: 'jwt', jwks: sunrise.writeKeys(folder) }],
        },
        { id: 'harbour-bank', role: 'bank', url: 'http://127.0.0.1:1/', auth: [] },
      ],
      clock,
    )
  })

  const identify = (token: string) =>
    parties.identify(REQUEST, new Map([['authorization', `Bearer ${token}`]]), 'harbour-bank')

  for (const { name, claims, header, detail, slug } of CLAIMS) {
    it(`${detail === undefined ? 'accepts' : 'refuses'} ${name}`, async () => {
      const result = await identify(await sunrise.jwt('harbour-bank', claims, header)).catch(
        (e: unknown) => e,
      )
      if (detail === undefined) {
        expect(result).to.deep.include({ method: 'jwt' })
        expect((result as { key: string }).key).to.match(/^[\w-]{43}$/)
      } else {
        expect(result)
          .to.be.instanceOf(Problem)
          .with.property('slug', slug ?? 'credentials-invalid')
        expect((result as Problem).message).to.match(detail)
      }
    })
  }

  for (const alg of ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256']) {
    it(`accepts ${alg}`, async () => {
      const party = await createTestParty('p', alg, () => NOW)
      const open = openParties(
        [{ id: 'p', role: 'other', auth: [{ method: 'jwt', jwks: party.writeKeys(folder) }] }],
        clock,
      )
      const head = new Map([['authorization', `Bearer ${await party.jwt('b')}`]])
      expect((await open.identify(REQUEST, head, 'b')).party.id).to.equal('p')
    })
  }

  for (const alg of ['ES384', 'RS512', 'PS512']) {
    it(`refuses ${alg}`, async () => {
      const party = await createTestParty('p', alg, () => NOW)
      const open = openParties(
        [{ id: 'p', role: 'other', auth: [{ method: 'jwt', jwks: party.writeKeys(folder) }] }],
        clock,
      )
      const head = new Map([['authorization', `Bearer ${await party.jwt('b')}`]])
      const error = await open.identify(REQUEST, head, 'b').catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-invalid')
    })
  }

  it('refuses an unsigned JWT and one signed with a shared secret', async () => {
    const claims = {
      iss: 'sunrise-platform',
      sub: 'sunrise-platform',
      aud: 'urn:sealgate:harbour-bank',
      iat: NOW,
      exp: NOW + 60,
      jti: 'x',
    }
    for (const alg of ['none', 'HS256']) {
      const error = await identify(`${part({ alg, kid: 'k1' })}.${part(claims)}.AAAA`).catch(
        (e: unknown) => e,
      )
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-invalid')
    }
  })

  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  // prettier-ignore
  const ALTERED: { name: string; alter: (parts: string[]) => string[]; detail: RegExp }[] = [
    { name: 'a fourth part',              alter: (parts) => [...parts, 'AAAA'],                                          detail: /compact form/ },
    { name: 'two parts',                  alter: ([head = '', body = '']) => [head, body],                               detail: /compact form/ },
    { name: 'a header that is no object', alter: ([, body = '', tail = '']) => [part([]), body, tail],                   detail: /compact form/ },
    { name: 'a critical extension',       alter: ([, body = '', tail = '']) => [part({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 }), body, tail], detail: /critical header/ },
    { name: 'an unencoded payload',       alter: ([, body = '', tail = '']) => [part({ alg: 'ES256', kid: 'k1', b64: false }), body, tail],        detail: /critical header/ },
    { name: 'a kid that is no text',      alter: ([, body = '', tail = '']) => [part({ alg: 'ES256', kid: 1 }), body, tail],                       detail: /`kid`/ },
    { name: 'a changed payload',          alter: ([head = '', , tail = '']) => [head, part({ iss: 'sunrise-platform' }), tail],                    detail: /does not verify/ },
    { name: 'a signature with padding',   alter: ([head = '', body = '', tail = '']) => [head, body, `${tail}==`],       detail: /canonical base64url/ },
    { name: 'a short signature',          alter: ([head = '', body = '', tail = '']) => [head, body, tail.slice(0, 80)], detail: /does not verify/ },
    { name: 'no signature',               alter: ([head = '', body = '']) => [head, body, ''],                           detail: /does not verify/ },
  ]
  for (const { name, alter, detail } of ALTERED) {
    it(`refuses ${name}`, async () => {
      const token = alter((await sunrise.jwt('harbour-bank')).split('.')).join('.')
      const error = await identify(token).catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-invalid')
      expect((error as Problem).message).to.match(detail)
    })
  }

  it('refuses an RSA key of 1024 bits', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }
    const file = join(folder, 'weak.jwks.json')
    writeFileSync(file, JSON.stringify({ keys: [jwk] }))
    const open = openParties(
      [{ id: 'p', role: 'other', auth: [{ method: 'jwt', jwks: file }] }],
      clock,
    )
    const claims = { iss: 'p', sub: 'p', aud: 'urn:sealgate:b', iat: NOW, exp: NOW + 9, jti: 'x' }
    const input = `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}`
    const token = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    const head = new Map([['authorization', `Bearer ${token}`]])
    const error = await open.identify(REQUEST, head, 'b').catch((e: unknown) => e)
    expect(error)
      .to.be.instanceOf(Problem)
      .with.property('message', 'the RSA key has less than 2048 bits')
  })

  it('refuses another key under the same kid', async () => {
    const impostor = await createTestParty('sunrise-platform', 'ES256', () => NOW)
    const error = await identify(await impostor.jwt('harbour-bank')).catch((e: unknown) => e)
    expect(error)
      .to.be.instanceOf(Problem)
      .with.property('message', 'the signature does not verify')
  })

  it('accepts a JWT once', async () => {
    const token = await sunrise.jwt('harbour-bank')
    await identify(token)
    const error = await identify(token).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-replayed')
  })

  it('does not spend the jti of a JWT that it refuses', async () => {
    const jti = 'spend-me'
    await identify(await sunrise.jwt('harbour-bank', { jti, aud: 'urn:x' })).catch(() => undefined)
    expect((await identify(await sunrise.jwt('harbour-bank', { jti }))).party.id).to.equal(
      'sunrise-platform',
    )
  })

  for (const value of ['Basic eDp5', 'Bearer', 'Bearer a b', 'x.y.z']) {
    it(`refuses \`Authorization: ${value}\``, async () => {
      const head = new Map([['authorization', value]])
      const error = await parties.identify(REQUEST, head, 'harbour-bank').catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-invalid')
    })
  }

  it('asks for credentials when there are none', async () => {
    const error = await parties
      .identify(REQUEST, new Map(), 'harbour-bank')
      .catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-missing')
  })

  it('fetches a remote key set once for many requests', async () => {
    let fetched = 0
    const server = createServer((_request, response) => {
      fetched++
      response.setHeader('content-type', 'application/json').end(JSON.stringify(sunrise.jwks))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    const open = openParties(
      [{ id: 'sunrise-platform', role: 'platform', auth: [{ method: 'jwt', jwks }] }],
      clock,
    )
    for (let i = 0; i < 3; i++) {
      const head = new Map([['authorization', `Bearer ${await sunrise.jwt('b')}`]])
      expect((await open.identify(REQUEST, head, 'b')).party.id).to.equal('sunrise-platform')
    }
    expect(fetched).to.equal(1)
    await new Promise((resolve) => server.close(resolve))
  })

  it('is busy, not forbidding, while a remote key set cannot be fetched', async () => {
    const jwks = 'http://127.0.0.1:1/jwks'
    const open = openParties(
      [{ id: 'sunrise-platform', role: 'platform', auth: [{ method: 'jwt', jwks }] }],
      clock,
    )
    const head = new Map([['authorization', `Bearer ${await sunrise.jwt('b')}`]])
    const error = await open.identify(REQUEST, head, 'b').catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'overloaded')
  })

  // prettier-ignore
  const FILES: { name: string; text: string | undefined; message: RegExp }[] = [
    { name: 'a missing file',  text: undefined,                                       message: /cannot be read/ },
    { name: 'no JSON',         text: 'hello',                                         message: /expected a JSON Web Key Set/ },
    { name: 'no keys',         text: '{"keys":[]}',                                   message: /at least one key/ },
    { name: 'a private key',   text: '{"keys":[{"kty":"OKP","crv":"Ed25519","d":"x"}]}', message: /public keys only/ },
    { name: 'a shared secret', text: '{"keys":[{"kty":"oct","k":"x"}]}',              message: /public keys only/ },
  ]
  for (const { name, text, message } of FILES) {
    it(`refuses to start with ${name}, naming the file`, () => {
      const file = join(folder, 'bad.json')
      rmSync(file, { force: true })
      if (text !== undefined) writeFileSync(file, text)
      expect(() =>
        openParties([{ id: 'p', role: 'other', auth: [{ method: 'jwt', jwks: file }] }], clock),
      )
        .to.throw(ConfigFault, message)
        .with.property('message')
        .that.includes(file)
    })
  }
})
