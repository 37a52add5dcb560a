import { expect } from 'chai'
import { createHmac, randomUUID, sign } from 'node:crypto'
import { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InnerList, parseDictionary } from 'structured-headers'
import type { Clock } from '../../../base/clock.ts'
import { Problem } from '../../../base/problem.ts'
import { type Parties, openParties } from '../../../gateway/party/registry.ts'
import { signatureBase } from '../../../gateway/signature/base.ts'
import { type TestParty, createTestParty } from '../../support/party.ts'

const NOW = Math.floor(Date.now() / 1000)
const clock: Clock = { wallUs: () => BigInt(NOW) * 1_000_000n, monotonicNs: () => 0n }
const FULL = '"@method" "@authority" "@path" "@query" "content-type" "content-digest"'

const SECRET = Buffer.alloc(32, 5)
/** What a caller signs with that shares a secret. */
const MAC = { keyid: 'secretive#k1', alg: 'hmac-sha256' }

interface Parts {
  readonly covered?: string
  readonly created?: number | undefined
  readonly keyid?: string
  readonly alg?: string
  readonly nonce?: string
  readonly extra?: string
  /** What the request really says, when it differs from what was signed. */
  readonly sent?: Record<string, string>
  readonly url?: string
}

describe('callers that sign the message', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-signer-'))
  after(() => rmSync(folder, { recursive: true }))
  let sunrise: TestParty
  let parties: Parties

  before(async () => {
    sunrise = await createTestParty('sunrise', 'Ed25519')
    const jwks = sunrise.writeKeys(folder)
    const secrets = join(folder, 'secrets.json')
    const k = SECRET.toString('base64url')
    writeFileSync(secrets, JSON.stringify({ keys: [{ kty: 'oct', kid: 'k1', k }] }), {
      mode: 0o600,
    })
    parties = openParties(
      [
        { id: 'sunrise', role: 'platform', auth: [{ method: 'signature', jwks }] },
        { id: 'secretive', role: 'platform', auth: [{ method: 'hmac', secrets }] },
        { id: 'jwt-only', role: 'platform', auth: [{ method: 'jwt', jwks }] },
      ],
      clock,
    )
  })

  function identify(parts: Parts) {
    const { covered = FULL, created = NOW, keyid = 'sunrise#k1', alg = 'ed25519' } = parts
    const { nonce = randomUUID(), extra = '', sent = {}, url = '/bank/a?b=1' } = parts
    const input = `sig=(${covered});created=${created};keyid="${keyid}";alg="${alg}";nonce="${nonce}"${extra}`
    const fields: Record<string, string> = {
      host: 'gateway:8080',
      'content-type': 'application/json',
      'content-length': '2',
      'content-digest': 'sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:',
    }
    const message = {
      method: 'POST',
      scheme: 'http',
      authority: 'gateway:8080',
      path: '/bank/a',
      query: 'b=1',
      field: (name: string) => fields[name],
    }
    const base = signatureBase(message, parseDictionary(input).get('sig') as InnerList)
    const key = KeyObject.from(sunrise.privateKey as Parameters<typeof KeyObject.from>[0])
    const signature = (
      alg === 'hmac-sha256'
        ? createHmac('sha256', SECRET).update(base).digest()
        : sign(null, Buffer.from(base), key)
    ).toString('base64')
    const head = { ...fields, ...sent, 'signature-input': input, signature: `sig=:${signature}:` }
    const request = { method: 'POST', url, socket: {} } as IncomingMessage
    return parties.identify(request, new Map(Object.entries(head)), 'bank')
  }

  it('are identified, with the thumbprint of their key', async () => {
    const caller = await identify({})
    expect(caller).to.deep.include({ method: 'signature' })
    expect(caller.party.id).to.equal('sunrise')
    expect(caller.key).to.match(/^[\w-]{43}$/)
  })

  it('are identified by a secret, whose use evidence tells from a signature', async () => {
    const caller = await identify(MAC)
    expect(caller).to.deep.include({ method: 'hmac' })
    expect(caller.party.id).to.equal('secretive')
    const nonce = randomUUID()
    await identify({ ...MAC, nonce })
    const again = await identify({ ...MAC, nonce }).catch((e: unknown) => e)
    expect(again).to.be.instanceOf(Problem).with.property('slug', 'credentials-replayed')
  })

  it('may cover the target URI instead of its parts', async () => {
    const caller = await identify({
      covered: '"@method" "@target-uri" "content-type" "content-digest"',
    })
    expect(caller.party.id).to.equal('sunrise')
  })

  // prettier-ignore
  const REFUSED: ({ name: string; detail: RegExp } & Parts)[] = [
    { name: 'the method is not covered',    covered: FULL.replace('"@method" ', ''),         detail: /`@method`/ },
    { name: 'the path is not covered',      covered: FULL.replace('"@path" ', ''),           detail: /`@path`/ },
    { name: 'the query is not covered',     covered: FULL.replace('"@query" ', ''),          detail: /`@query`/ },
    { name: 'the digest is not covered',    covered: FULL.replace(' "content-digest"', ''),  detail: /`content-digest`/ },
    { name: 'the media type is not covered', covered: FULL.replace('"content-type" ', ''),   detail: /`content-type`/ },
    { name: 'what a part is, is not covered', sent: { 'upload-offset': '5' },                detail: /`upload-offset`/ },
    { name: 'another path was signed',      url: '/bank/b?b=1',                              detail: /does not verify/ },
    { name: 'another query was signed',     url: '/bank/a?b=2',                              detail: /does not verify/ },
    { name: 'another digest was signed',    sent: { 'content-digest': 'sha-256=:AA==:' },    detail: /does not verify/ },
    { name: 'another host was signed',      sent: { host: 'elsewhere' },                     detail: /does not verify/ },
    { name: 'it is old',                    created: NOW - 301,                              detail: /too long ago/ },
    { name: 'it is older than the gateway', created: NOW - 1,                                detail: /before this gateway/ },
    { name: 'it is from the future',        created: NOW + 30,                               detail: /in the future/ },
    { name: 'it has expired',               extra: `;expires=${NOW - 11}`,                   detail: /expired/ },
    { name: 'the nonce is empty',           nonce: '',                                       detail: /`nonce`/ },
    { name: 'the nonce is long',            nonce: 'x'.repeat(129),                          detail: /`nonce`/ },
    { name: 'the algorithm is a secret one', alg: 'hmac-sha256',                             detail: /not a party/ },
    { name: 'a party with a secret uses a key', ...MAC, alg: 'ed25519',                      detail: /not a party/ },
    { name: 'the secret is unknown',        ...MAC, keyid: 'secretive#k2',                   detail: /no registered key/ },
    { name: 'another path has the MAC',     ...MAC, url: '/bank/b?b=1',                      detail: /does not verify/ },
    { name: 'another digest has the MAC',   ...MAC, sent: { 'content-digest': 'sha-256=:AA==:' }, detail: /does not verify/ },
    { name: 'the MAC does not cover the method', ...MAC, covered: FULL.replace('"@method" ', ''), detail: /`@method`/ },
    { name: 'the MAC is old',               ...MAC, created: NOW - 301,                      detail: /too long ago/ },
    { name: 'the MAC has no nonce',         ...MAC, nonce: '',                               detail: /`nonce`/ },
    { name: 'the algorithm is not the key\'s', alg: 'ecdsa-p256-sha256',                     detail: /no registered key/ },
    { name: 'the key is unknown',           keyid: 'sunrise#k2',                             detail: /no registered key/ },
    { name: 'the key id names no party',    keyid: 'k1',                                     detail: /`<party id>#<kid>`/ },
    { name: 'the party is unknown',         keyid: 'nobody#k1',                              detail: /not a party/ },
    { name: 'the party only uses JWTs',     keyid: 'jwt-only#k1',                            detail: /not a party/ },
  ]
  for (const { name, detail, ...parts } of REFUSED) {
    it(`are refused when ${name}`, async () => {
      const error = await identify(parts).catch((e: unknown) => e)
      expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-invalid')
      expect((error as Problem).message).to.match(detail)
    })
  }

  it('use a nonce once', async () => {
    await identify({ nonce: 'n1' })
    const error = await identify({ nonce: 'n1' }).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'credentials-replayed')
  })
})
