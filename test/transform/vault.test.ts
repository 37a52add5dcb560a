import { expect } from 'chai'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import { throwawayKeyRing } from '../../gateway/token/ring.ts'
import type { VaultStore } from '../../gateway/token/vault.ts'
import { type OpenVaultStore, openVaultStore } from '../../gateway/token/vault-file.ts'
import type { Binding } from '../../gateway/transform/transform.ts'
import { bind, NULL, settle, text, textOf, tryBind } from './bind.ts'

const MOBILE = '13800138000'
const HOUR_MS = 3_600_000

describe('tokenize: vaulted', () => {
  let folder: string
  let store: OpenVaultStore
  let now = 0
  const keys = throwawayKeyRing()
  const clock = { wallUs: () => BigInt(now) * 1000n, monotonicNs: () => 0n }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vault-'))
    store = openVaultStore(join(folder, 'vault.sqlite'))
    now = Date.parse('2026-11-24T00:00:00Z')
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true })
  })

  const options = (binding: Partial<Binding>, vault: VaultStore = store) => ({
    binding: { kind: 'mobile', ...binding },
    ports: { keys, clock, vault },
  })
  const mint = async (parameters = {}, binding: Partial<Binding> = {}) => {
    const tokenize = bind('tokenize', { tokenize: 'vaulted', ...parameters }, options(binding))
    return textOf(await settle(tokenize(text(MOBILE))))
  }
  const reveal = (token: string, binding: Partial<Binding> = {}) =>
    settle(bind('reveal', {}, options({ direction: 'response', ...binding }))(text(token)))
  const isRefused = async (token: string, binding?: Partial<Binding>) =>
    expect(await reveal(token, binding)).to.have.property('change', 'refuse')

  it('gives equal values different tokens, and each comes back', async () => {
    const [one, two] = [await mint(), await mint()]
    expect(one).to.match(/^vlt_mobile_1_[a-z]{36}$/)
    expect(one).to.not.equal(two)
    for (const token of [one, two, one]) expect(textOf(await reveal(token))).to.equal(MOBILE)
  })

  it('ends after its time to live', async () => {
    const token = await mint({ ttl: '2h' })
    now += 2 * HOUR_MS - 1
    expect(textOf(await reveal(token))).to.equal(MOBILE)
    now += 1
    await isRefused(token)
  })

  it('reveals a one-time token once, whoever asks how often', async () => {
    const token = await mint({ once: true })
    const changes = await Promise.all([1, 2, 3].map(() => reveal(token)))
    expect(changes.map(({ change }) => change).toSorted()).to.deep.equal([
      'refuse',
      'refuse',
      'text',
    ])
    await isRefused(token)
  })

  it('refuses a token of another domain, and does not use it up', async () => {
    const token = await mint({ once: true })
    await isRefused(token, { to: 'island-bank' })
    await isRefused(token, { purpose: 'collection' })
    await isRefused(token, { kind: 'email' })
    await isRefused(token.replace('_mobile_', '_email_'), { kind: 'email' })
    expect(textOf(await reveal(token))).to.equal(MOBILE)
  })

  it('refuses a row that was moved to another token', async () => {
    const [one, two] = [await mint(), await mint()]
    const body = (token: string) => token.slice(token.lastIndexOf('_') + 1)
    const swapped: VaultStore = { ...store, get: (_id, nowMs) => store.get(body(two), nowMs) }
    const apply = bind('reveal', {}, options({ direction: 'response' }, swapped))
    expect(await settle(apply(text(one)))).to.have.property('change', 'refuse')
  })

  it('keeps its tokens over a restart, and nothing in clear on disk', async () => {
    const token = await mint()
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      expect(readFileSync(file).includes(MOBILE), name).to.equal(false)
      expect(statSync(file).mode & 0o077, name).to.equal(0)
    }
    store.close()
    store = openVaultStore(join(folder, 'vault.sqlite'))
    expect(textOf(await reveal(token))).to.equal(MOBILE)
  })

  it('sweeps expired rows, and refuses more than it may hold', async () => {
    const small = openVaultStore(':memory:', 2)
    const tokenize = bind('tokenize', { tokenize: 'vaulted', ttl: '1m' }, options({}, small))
    const put = () => settle(tokenize(text(MOBILE)))
    await put()
    await put()
    const error = await put().catch((caught: unknown) => caught)
    expect(error).to.be.instanceOf(Problem).with.property('slug', 'overloaded')
    now += 60_000
    expect(await put()).to.have.property('change', 'text')
    small.close()
  })

  it('refuses what is no text, keeps null, and needs a vault', async () => {
    const tokenize = bind('tokenize', { tokenize: 'vaulted' }, options({}))
    expect(await settle(tokenize(text('\ud800')))).to.have.property('change', 'refuse')
    expect(tokenize(NULL)).to.deep.equal({ change: 'keep' })
    expect(tryBind('tokenize', { tokenize: 'vaulted' }).complaints).to.deep.equal([
      '`tokenize: vaulted` needs a vault: configure one',
    ])
    for (const ttl of ['0d', '1y', 'd', '1.5h', '30']) {
      const { complaints } = tryBind('tokenize', { tokenize: 'vaulted', ttl }, options({}))
      expect(complaints, ttl).to.have.length(1)
    }
    const { complaints } = tryBind('tokenize', { tokenize: 'opaque', ttl: '1d' }, options({}))
    expect(complaints).to.deep.equal(['`opaque` tokens have no `ttl`: remove `ttl`'])
  })
})
