/** Renewing evidence records before a certificate or an algorithm weakens (RFC 4998 §5). @module */
import { concat, parseDer, takeInteger, takeParts } from '../der.ts'
import { parseToken, type DigestName } from '../timestamp/token.ts'
import { digest } from '../timestamp/verify.ts'
import { parseCertificate } from '../x509-profile.ts'
import { encodeChains, type EvidenceRecord, hashTree } from './record.ts'

/** Gets one token (ContentInfo) over a digest by this algorithm. */
export type StampDigest = (name: DigestName, value: Uint8Array) => Promise<Uint8Array>

/** A record with the data object that it is about. */
export interface Renewable {
  readonly record: EvidenceRecord
  readonly data: Uint8Array
}

/**
 * Timestamp renewal: one new token over the last tokens of many records, all under one digest
 * algorithm, which must still be strong.
 */
export async function renewTimestamps(
  records: readonly EvidenceRecord[],
  stamp: StampDigest,
): Promise<EvidenceRecord[]> {
  const last = records.map(({ chains }) => chains.at(-1)?.at(-1))
  const name = last[0]?.digest
  if (name === undefined) return []
  const digests = await Promise.all(
    last.map((timestamp) => {
      if (timestamp?.digest !== name) throw new Error('expected records under one digest algorithm')
      return digest(name, timestamp.token)
    }),
  )
  const { root, ways } = await hashTree(name, digests)
  const token = await stamp(name, root)
  return records.map(({ chains }, index) => {
    const renewed = { digest: name, tree: ways[index] ?? [], token }
    return { chains: [...chains.slice(0, -1), [...(chains.at(-1) ?? []), renewed]] }
  })
}

/**
 * Hash renewal: one new token over many data objects with all their chains, under another digest
 * algorithm, while the old one is still strong.
 */
export async function renewHashes(
  items: readonly Renewable[],
  name: DigestName,
  stamp: StampDigest,
): Promise<EvidenceRecord[]> {
  const digests = await Promise.all(
    items.map(({ data, record }) => renewedDigest(name, data, record.chains)),
  )
  const { root, ways } = await hashTree(name, digests)
  const token = await stamp(name, root)
  return items.map(({ record }, index) => ({
    chains: [...record.chains, [{ digest: name, tree: ways[index] ?? [], token }]],
  }))
}

/** §5.2: the digest of a data object and of all chains about it so far. */
export async function renewedDigest(
  name: DigestName,
  data: Uint8Array,
  chains: EvidenceRecord['chains'],
): Promise<Uint8Array> {
  const parts = [await digest(name, data)]
  if (chains.length === 0) return concat(parts)
  return digest(name, concat([...parts, await digest(name, encodeChains(chains))]))
}

/** What is to be done with a record, and by when. */
export interface RenewalDate {
  readonly due: Date
  /** `hash` when the digest algorithm weakens, `timestamp` when only certificate or signature do. */
  readonly kind: 'timestamp' | 'hash'
  readonly reason: string
}

const YEAR_MS = 365 * 86_400_000
const LIFE_SHARE = 0.2

/**
 * The renewal calendar of one record: a year before the authority's certificate ends, or when a
 * fifth of its life is left, whichever is first; a year before an algorithm's sunset. A certificate
 * with less than two years of life is renewed at half of it at the earliest.
 *
 * @param sunsets algorithm (object identifier or digest name) → when it stops being accepted.
 * @returns every date, earliest first.
 */
export function renewalCalendar(
  { chains }: EvidenceRecord,
  sunsets: ReadonlyMap<string, Date> = new Map(),
): RenewalDate[] {
  const last = chains.at(-1)?.at(-1)
  if (last === undefined) return []
  const { signer, certificates } = parseToken(last.token)
  const dates: RenewalDate[] = []
  const der = certificates.find((each) => serialOf(each) === signer.serial)
  if (der !== undefined) {
    const own = parseCertificate(der)
    const end = own.notAfter.value.getTime()
    const life = end - own.notBefore.value.getTime()
    const lead = Math.max(life * LIFE_SHARE, Math.min(YEAR_MS, life / 2))
    const reason = `the authority's certificate ends ${own.notAfter.value.toISOString()}`
    dates.push({ due: new Date(end - lead), kind: 'timestamp', reason })
  }
  for (const [algorithm, kind] of [
    [signer.signatureAlgorithm, 'timestamp'],
    [last.digest, 'hash'],
  ] as const) {
    const sunset = sunsets.get(algorithm)
    if (sunset === undefined) continue
    const reason = `${algorithm} is accepted until ${sunset.toISOString()}`
    dates.push({ due: new Date(sunset.getTime() - YEAR_MS), kind, reason })
  }
  return dates.sort((a, b) => a.due.getTime() - b.due.getTime())
}

/** RFC 5280 §4.1, without the cost of parsing the rest: a scan reads every token of a log. */
function serialOf(certificateDer: Uint8Array): bigint {
  const [tbs] = takeParts(parseDer(certificateDer), 0x30, 3)
  return takeInteger(takeParts(tbs, 0x30, 6, 10)[1])
}
