/** A small case in a real log: sealed, stamped, one record erased; the data are synthetic. @module */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, systemClock, toTimestamp } from '../../base/clock.ts'
import { uuidv7 } from '../../base/uuid.ts'
import { commit, derivedSecrets, withDecoys } from '../../evidence/commitment.ts'
import { sha256 } from '../../evidence/crypto.ts'
import type { DossierPorts } from '../../evidence/dossier/export.ts'
import { openChains, saveChain } from '../../evidence/export-chains.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { addName, logStore, openLineReader } from '../../evidence/log/line.ts'
import { openLog } from '../../evidence/log/open.ts'
import { openLine } from '../../evidence/log/open-line.ts'
import { openReader } from '../../evidence/log/reader.ts'
import { openFolderStore, type Store } from '../../evidence/log/store.ts'
import { openPolicies, savePolicy } from '../../evidence/policy-archive.ts'
import type { SealedRecord } from '../../evidence/record.ts'
import { createSealer, FIRST_PREV, recordDigest, type Sealer } from '../../evidence/seal.ts'
import { requestTimestamp, type TimestampSource } from '../../evidence/timestamp/client.ts'
import { openTimestampSources } from '../../evidence/timestamp/sources.ts'
import { responseKey, revocationKey, stampedKey } from '../../evidence/timestamp/stamps.ts'
import type { Trust } from '../../evidence/verify-trust.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'
import { openRevocationLists } from '../../evidence/x509-lists.ts'
import { recordMaker } from '../log/records.ts'

const LINE = 'log.test/evr'
const NAME = '2026h2'
const POLICY = 'policy: credit-application\nversion: 3\n# 授信申请\n'
/** What the second record commits to. */
export const CLAIMS = [
  { name: 'f:$.name', json: '"测试"' },
  { name: 'f:$.amount', json: '1.10' },
  { name: 'url', json: '"/credit/applications?channel=app"' },
]

/** A case, and what proves it. */
export interface Case {
  readonly ports: DossierPorts
  readonly trust: Trust
  /** In the order of their numbers: deposit, exchange, erased exchange, erasure. */
  readonly rids: readonly string[]
  readonly store: Store
  /** Who stamped. */
  readonly source: TimestampSource
  close(): Promise<void>
}

/**
 * Makes the case.
 *
 * @param folder an empty one.
 * @param options `others`: records of other cases between; `exchanges`: as many more of this one; `by`: who stamps;
 *   `later`: when more logs begin, each of one record: of other cases, and in the last of this one.
 */
export async function makeCase(
  folder: string,
  {
    others = 5,
    clock = systemClock,
    stamps = 2,
    exchanges = 0,
    by,
    later = [],
  }: {
    others?: number
    clock?: Clock
    stamps?: 1 | 2
    exchanges?: number
    by?: TimestampSource
    later?: readonly Clock[]
  } = {},
): Promise<Case> {
  const keys = join(folder, 'keys')
  const identity = await openSealIdentity(keys, { instance: 'i-1', organization: 'Test', clock })
  const chain = [identity.certificateDer, ...identity.chainDer]
  saveChain(join(folder, 'certificates'), chain)
  savePolicy(join(folder, 'policy-archive'), POLICY)
  const secrets = derivedSecrets(randomBytes(32))
  const next = recordsOf(createSealer(identity), clock)
  const exchange = {
    kind: 'exchange',
    caller: { id: 'sunrise-platform', auth: 'jwt', key: 'k1' },
    recipient: 'harbour-bank',
    route: 'POST /credit/applications',
    policy: {
      id: 'credit-application',
      version: 3,
      digest: `sha256:${sha256(POLICY).toString('hex')}`,
    },
    links: { application: 'lnk_application' },
    outcome: 'answered',
  }
  const log = await openLog({
    data: folder,
    log: join(folder, 'log', NAME),
    origin: `${LINE}/${NAME}`,
    batchMs: 0,
  })
  const root = openFolderStore(join(folder, 'log'))
  const store = logStore(root, NAME)
  const embedded = await openTimestampSources([{ url: 'embedded' }], {
    ...{ keys, trust: join(folder, 'trust'), organization: 'Test', clock },
  })
  const [source] = by === undefined ? embedded : [by]
  if (source === undefined) throw new Error('no authority')
  const stamp = async () => {
    const { text, checkpoint } = await openReader(store)
    const { response, revocationLists } = await requestTimestamp(source, Buffer.from(text), clock)
    for (const list of revocationLists) await store.put(revocationKey(list), Buffer.from(list))
    await store.put(stampedKey(checkpoint.size), Buffer.from(text))
    await store.put(responseKey(checkpoint.size, source.name), Buffer.from(response))
  }
  const deposit = next((rid) => ({ kind: 'deposit', type: 'contract', links: exchange.links, _sd: commit(secrets.secretOf(rid), [{ name: 'document_sha256', json: `"${'0'.repeat(64)}"` }]) })) // prettier-ignore
  const relayed = next((rid) => ({ ...exchange, _sd: commit(secrets.secretOf(rid), CLAIMS) }))
  await log.append([...recordMaker(41).many(others), deposit, relayed])
  if (stamps === 2) await stamp()
  const many = Array.from({ length: exchanges }, () => next((rid) => ({ ...exchange, _sd: commit(secrets.secretOf(rid), CLAIMS) }))) // prettier-ignore
  if (exchanges > 0) await log.append(many)
  const erased = next(() => ({ ...exchange, links: {}, _sd: [] }))
  const destroyed = [{ record: erased.rid, part: 'request', digest: recordDigest('gone') }]
  const erasure = next(() => ({ kind: 'erase', rule: 'retention', destroyed, _sd: [] }))
  await log.append([...recordMaker(42).many(others), erased, erasure])
  await stamp()
  const logKeys = openLogKeys(keys, LINE).map(({ verifier }) => verifier)
  await log.close()
  await addName(root, NAME)
  const last = later.map((_, index) => index < later.length - 1 ? undefined : next((rid) => ({ ...exchange, _sd: commit(secrets.secretOf(rid), CLAIMS) }))) // prettier-ignore
  for (const [index, time] of later.entries()) {
    const line = await openLine({ data: folder, log: join(folder, 'log'), origin: LINE, clock: time, batchMs: 0 }) // prettier-ignore
    const record = last[index]
    await line.append(record === undefined ? recordMaker(43 + index).many(2) : [record])
    await line.close()
  }
  const index = openSqliteIndex(join(folder, 'index.sqlite'))
  return {
    ports: {
      logs: await openLineReader(root, logKeys),
      ...{ index, secrets, timestampRoots: source.roots },
      chainOf: openChains(join(folder, 'certificates')),
      revocationLists: await openRevocationLists(keys, clock),
      policyOf: openPolicies(join(folder, 'policy-archive')),
    },
    trust: { roots: chain.slice(-1), logKeys, timestampRoots: source.roots },
    rids: [deposit, relayed, erased, erasure, ...last.flatMap((each) => each ?? [])].map(
      ({ rid }) => rid,
    ),
    store,
    source,
    close: () => index.close(),
  }
}

type Facts = Readonly<Record<string, unknown>> & { readonly _sd: readonly string[] }

/** Seals one record after the other in an instance of its own. */
function recordsOf(seal: Sealer, clock: Clock): (facts: (rid: string) => Facts) => SealedRecord {
  const nowUs = () => clock.wallUs()
  const instance = uuidv7(Number(nowUs() / 1000n), randomBytes(10))
  let [seq, prev] = [0, FIRST_PREV]
  return (factsOf) => {
    seq += 1
    const rid = uuidv7(Number(nowUs() / 1000n) + seq, randomBytes(10))
    const { _sd, kind, ...facts } = factsOf(rid)
    const payload = {
      ...{ v: 1, kind, rid, instance, seq, prev, ...facts },
      times: { received: toTimestamp(nowUs()) },
      ...{ _sd: withDecoys(_sd, (size) => randomBytes(size)), _sd_alg: 'sha-256' },
    }
    const jws = seal(JSON.stringify(payload), Number(nowUs() / 1_000_000n))
    prev = recordDigest(jws)
    return { rid, kind: kind as SealedRecord['kind'], instance, seq, jws }
  }
}
