/** Revocation lists for the path of a token: those at hand, and those that its certificates name. @module */
import { type Clock, toDate } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { type Der, parseDer, takeParts } from '../der.ts'
import { parseCertificate } from '../x509-profile.ts'
import { readRevocationList } from '../x509-revocation.ts'
import { fetchBounded } from './fetch.ts'

const DISTRIBUTION_POINTS = '2.5.29.31'
/** Bytes of one list: some 200,000 entries. */
const LIST_BYTES_MAX = 8_388_608
const LIST_TIMEOUT_MS = 10_000
/** A list is fetched again after this long, though it may be valid for longer. */
const LIST_AGE_MS_MAX = 3_600_000
/** Addresses that one certificate may name. */
const POINTS_MAX = 8

/** Gives the lists for a path, leaf first, root last; none when nothing says where they are. */
export type RevocationSource = (chain: readonly Uint8Array[]) => Promise<readonly Uint8Array[]>

/**
 * Makes a source that fetches and remembers lists. While a newer one cannot be had, an older one
 * goes on until it ends.
 *
 * @param fixed lists that the operator keeps, DER.
 */
export function createRevocationSource(
  fixed: readonly Uint8Array[],
  clock: Clock,
): RevocationSource {
  const known = new Map<string, { readonly der: Uint8Array; readonly fetched: number }>()
  const listAt = async (url: string): Promise<Uint8Array> => {
    const nowMs = toDate(clock.wallUs()).getTime()
    const before = known.get(url)
    if (before !== undefined && nowMs - before.fetched < LIST_AGE_MS_MAX) return before.der
    try {
      const der = await fetchList(url)
      known.set(url, { der, fetched: nowMs })
      return der
    } catch (error) {
      // Its own end is looked at where it is used.
      if (before !== undefined) return before.der
      throw error
    }
  }
  return async (chain) => {
    const urls = new Set(chain.slice(0, -1).flatMap((der) => distributionPoints(der)))
    return [...fixed, ...(await Promise.all([...urls].map(listAt)))]
  }
}

/** The http addresses in a certificate's cRLDistributionPoints (RFC 5280 §4.2.1.13). */
export function distributionPoints(certificateDer: Uint8Array): string[] {
  const { extensions = [] } = parseCertificate(certificateDer)
  const value = extensions.find(({ extnID }) => extnID === DISTRIBUTION_POINTS)?.extnValue
  if (value === undefined) return []
  const points = takeParts(parseDer(value.valueBlock.valueHexView), 0x30, 1, POINTS_MAX)
  return points
    .flatMap(({ parts }) => parts.filter(({ tag }) => tag === 0xa0))
    .flatMap((point) => names(point))
    .filter((url) => /^https?:\/\//.test(url))
}

/** uniformResourceIdentifier [6] of fullName [0]. */
function names({ parts }: Der): string[] {
  return parts
    .filter(({ tag }) => tag === 0xa0)
    .flatMap((full) => full.parts.filter(({ tag }) => tag === 0x86))
    .map(({ content }) => Buffer.from(content).toString('latin1'))
}

async function fetchList(url: string): Promise<Uint8Array> {
  const fail = (why: string, cause?: unknown): Problem =>
    new Problem('timestamp-unavailable', `revocation list of ${new URL(url).host}: ${why}`, {
      cause,
    })
  const limits = { timeoutMs: LIST_TIMEOUT_MS, bytesMax: LIST_BYTES_MAX }
  const { status, bytes } = await fetchBounded(url, {}, limits, fail)
  if (status !== 200) throw fail(`status ${status}, expected 200`)
  // Who can answer here can keep lists back, not make one: each is verified where it is used.
  if (readRevocationList(bytes) === undefined) throw fail('the answer is no complete list')
  return bytes
}
