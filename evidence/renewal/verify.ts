/** Verifying evidence records (RFC 4998 §5.3), offline. Pure; WebCrypto only. @module */
import { digest, type TimestampResult, verifyTokenImprint } from '../timestamp/verify.ts'
import {
  type ArchiveTimestamp,
  type EvidenceRecord,
  parseRecord,
  type RenewalTrust,
  walkTree,
} from './record.ts'
import { renewedDigest } from './renew.ts'

/** `valid` exactly when there are no `reasons`. */
export interface RecordResult {
  readonly valid: boolean
  readonly reasons: readonly string[]
  /** When the first token was made: since then at the latest, the data object has existed. */
  readonly time?: Date
  /** One of the authorities is self-made. */
  readonly development: boolean
  /** The paths of the authorities' certificates, leaf to root; DER. */
  readonly chains: readonly (readonly Uint8Array[])[]
}

/**
 * Verifies that each token was made while the one before it was still trustworthy.
 *
 * @param at when the last token must be trustworthy: now.
 */
export async function verifyRecord(
  bytes: Uint8Array,
  data: Uint8Array,
  { at, ...trust }: RenewalTrust & { readonly at: Date },
): Promise<RecordResult> {
  let record: EvidenceRecord
  try {
    record = parseRecord(bytes) // Attacker-controlled: all of it.
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      valid: false,
      reasons: [`not an evidence record: ${why}`],
      development: false,
      chains: [],
    }
  }
  const results = await Promise.all(
    (await coveredBy(record, data)).map(({ timestamp, covered }) =>
      verify(timestamp, covered, trust),
    ),
  )
  const reasons: string[] = []
  for (const [index, [timestamp, result]] of results.entries()) {
    const next = results[index + 1]
    const until = next === undefined ? at : next[1].info?.time
    const made = result.info?.time
    if (made !== undefined && until !== undefined && made > until) {
      reasons.push(
        `token ${index + 1} was made after ${next === undefined ? 'now' : 'its renewal'}`,
      )
    }
    const again = until === undefined ? result : await verifyAt(timestamp, result, trust, until)
    reasons.push(...again.reasons.map((reason) => `token ${index + 1}: ${reason}`))
  }
  const time = results[0]?.[1].info?.time
  return {
    valid: reasons.length === 0,
    reasons,
    ...(time === undefined ? {} : { time }),
    development: results.some(([, { development }]) => development),
    chains: results.map(([, { chain }]) => chain),
  }
}

interface Covered {
  readonly timestamp: ArchiveTimestamp
  /** The digest that must be in its tree. */
  readonly covered: Uint8Array
}

/** §5.3: the first token covers the data, a renewal the token before, a new chain all of it. */
async function coveredBy({ chains }: EvidenceRecord, data: Uint8Array): Promise<Covered[]> {
  const rows: Covered[] = []
  for (const [number, chain] of chains.entries()) {
    for (const [index, timestamp] of chain.entries()) {
      const before = chain[index - 1]
      const name = timestamp.digest
      // A chain has one digest algorithm; another one is a hash renewal, which starts a chain.
      const covered =
        before === undefined
          ? await renewedDigest(name, data, chains.slice(0, number))
          : await digest(before.digest, before.token)
      rows.push({ timestamp, covered })
    }
  }
  return rows
}

type Verified = readonly [ArchiveTimestamp, TimestampResult]

async function verify(
  timestamp: ArchiveTimestamp,
  covered: Uint8Array,
  trust: RenewalTrust,
): Promise<Verified> {
  const root = await walkTree(timestamp, covered)
  const result = await verifyTokenImprint(
    timestamp.token,
    async (name) => (name === timestamp.digest ? (root ?? new Uint8Array()) : undefined),
    trust,
  )
  return [timestamp, result]
}

/** A token must still have been trustworthy when it was renewed, not only when it was made. */
async function verifyAt(
  timestamp: ArchiveTimestamp,
  result: TimestampResult,
  trust: RenewalTrust,
  at: Date,
): Promise<TimestampResult> {
  if (!result.valid) return result
  const wanted = result.info?.digest
  return verifyTokenImprint(timestamp.token, async () => wanted, { ...trust, at })
}
