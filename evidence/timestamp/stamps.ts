/** Where the log's time stamps stand, and which of them cover a record. @module */
import { sha256 } from '../crypto.ts'
import type { Store } from '../log/store.ts'

/** Where the stamped bytes of one tree size stand. */
export function stampedKey(size: number): string {
  return `tsr/${size}.checkpoint`
}

/** Where the SM2 signature over the stamped bytes of one tree size stands. */
export function sm2Key(size: number): string {
  return `gm/${size}.p7s`
}

/** Where one authority's response for one tree size stands. */
export function responseKey(size: number, source: string): string {
  return `tsr/${size}.${source}.tsr`
}

/** Where the evidence record of one token stands, once it was renewed. */
export function recordKey(size: number, source: string): string {
  return `ers/${size}.${source}.ers`
}

/** Where all revocation lists stand. */
export const REVOCATION_KEYS = 'crl/'

/** Where a revocation list stands by which tokens were judged: once, however many there are. */
export function revocationKey(list: Uint8Array): string {
  return `${REVOCATION_KEYS}${sha256(list).toString('hex')}.crl`
}

/** Reads a response's key; undefined when it is another file's. */
export function parseResponseKey(key: string): { size: number; source: string } | undefined {
  const [, size, source] = /^tsr\/([1-9]\d{0,15})\.(.+)\.tsr$/.exec(key) ?? []
  return size === undefined || source === undefined ? undefined : { size: Number(size), source }
}

/** A stamped checkpoint with the responses over it, each as its authority sent it. */
export interface Stamped {
  /** The stamped bytes: a signed checkpoint, verbatim. */
  readonly checkpoint: string
  readonly responses: readonly Uint8Array[]
  /** The RFC 4998 records of those responses that were renewed. */
  readonly renewals: readonly (Uint8Array | undefined)[]
}

/**
 * Finds the time stamps that cover the record at a position: of each authority the first one, which
 * is the tightest bound. None when the record is not stamped yet.
 *
 * @param keys the names below `tsr/`, for a caller that asks for many records.
 */
export async function findStamps(
  store: Pick<Store, 'get' | 'list'>,
  position: number,
  keys?: readonly string[],
): Promise<Stamped[]> {
  const first = new Map<string, number>()
  for (const key of keys ?? (await store.list('tsr/'))) {
    const { size = 0, source = '' } = parseResponseKey(key) ?? {}
    const known = first.get(source) ?? Number.POSITIVE_INFINITY
    if (size > position && size < known) first.set(source, size)
  }
  const stamped: Stamped[] = []
  for (const [size, pairs] of Map.groupBy(first, ([, each]) => each)) {
    const checkpoint = await store.get(stampedKey(size))
    const found = await Promise.all(
      pairs.map(async ([source]) => ({
        response: await store.get(responseKey(size, source)),
        renewal: await store.get(recordKey(size, source)),
      })),
    )
    const there = found.filter(({ response }) => response !== undefined)
    const responses = there.flatMap(({ response }) => response ?? [])
    const renewals = there.map(({ renewal }) => renewal)
    if (checkpoint !== undefined) stamped.push({ checkpoint: checkpoint.toString(), responses, renewals }) // prettier-ignore
  }
  return stamped
}
