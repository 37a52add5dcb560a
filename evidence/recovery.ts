/** What a journal tells after a restart: which records wait for a seal, and which for the log. @module */
import { Problem } from '../base/problem.ts'
import type { Head, Pending, Sealed } from './chain.ts'
import type { EntryType } from './journal/entry.ts'
import type { FoundEntry } from './journal/segments.ts'
import { mergeDrafts, readDraft } from './draft.ts'
import { draftUnknown } from './payload.ts'
import type { RecordKind } from './record.ts'
import { readRecord, recordDigest } from './seal.ts'

/** The first entry of each segment, and what follows each acknowledgement by the log. */
export interface Mark extends Head {
  readonly v: 1
  readonly instance: string
  /** Every record up to this `seq` is in the log. */
  readonly logged: number
}

/** A sealed record found in the journal. */
export interface FoundSealed extends Sealed {
  /** It must be written again before anybody sees it: its file may never have been synced. */
  readonly newest: boolean
}

export interface Recovered {
  readonly mark: Mark
  /** Durable but without a seal, in order; exchanges without an outcome have outcome `unknown`. */
  readonly pending: readonly Pending[]
  readonly unknown: number
  /** Sealed but perhaps not in the log, in order of `seq`. */
  readonly sealed: readonly FoundSealed[]
}

interface Scan {
  mark: Mark | undefined
  readonly intents: Map<string, Pending>
  readonly complete: Map<string, Pending>
  /** Outcomes whose intent went with its segment: their seal must follow. */
  readonly orphans: Set<string>
  readonly sealed: Map<number, FoundSealed>
}

/**
 * Reads all entries in order. The chain they hold must be whole: its records are what somebody may
 * already have seen.
 *
 * @returns undefined for an empty journal.
 * @throws {Problem} `evidence-unavailable` when a record is missing or differs from its copy.
 */
export function recover(entries: Iterable<FoundEntry>): Recovered | undefined {
  const scan: Scan = {
    mark: undefined,
    intents: new Map(),
    complete: new Map(),
    orphans: new Set(),
    sealed: new Map(),
  }
  for (const entry of entries) visit(scan, entry)
  const { mark, intents, complete, orphans, sealed } = scan
  if (mark === undefined) return undefined
  if (orphans.size > 0) throw damaged(`${orphans.size} outcomes stand without their intents`)
  const waiting = [...sealed.values()].filter(({ record }) => record.seq > mark.logged)
  if (waiting.length !== mark.seq - mark.logged) {
    throw damaged(`not all records from ${mark.logged + 1} to ${mark.seq} are there`)
  }
  const unknown = [...intents.values()].map(({ draft, segment }) => ({
    draft: mergeDrafts(draft, draftUnknown(draft.rid)),
    segment,
  }))
  return {
    mark,
    pending: [...complete.values(), ...unknown],
    unknown: unknown.length,
    sealed: waiting,
  }
}

function visit(scan: Scan, entry: FoundEntry): void {
  const { type, payload, segment } = entry
  // INVARIANT: the CRC held, so we wrote it.
  if (type === 'mark') visitMark(scan, JSON.parse(payload) as Mark)
  else if (type === 'sealed') visitSealed(scan, entry)
  else visitDraft(scan, type, { draft: readDraft(payload), segment })
}

function visitDraft(scan: Scan, type: EntryType, { draft, segment }: Pending): void {
  if (type === 'intent') {
    scan.intents.set(draft.rid, { draft, segment })
  } else if (type === 'event') {
    scan.complete.set(draft.rid, { draft, segment })
  } else {
    const intent = scan.intents.get(draft.rid)
    scan.intents.delete(draft.rid)
    if (intent === undefined) scan.orphans.add(draft.rid)
    else scan.complete.set(draft.rid, { draft: mergeDrafts(intent.draft, draft), segment: intent.segment }) // prettier-ignore
  }
}

function visitMark(scan: Scan, mark: Mark): void {
  const before = scan.mark
  if (before !== undefined) {
    if (mark.instance !== before.instance) throw damaged('it holds two instances')
    if (mark.seq > before.seq) throw damaged(`record ${before.seq + 1} is missing`)
  }
  const logged = Math.max(before?.logged ?? 0, mark.logged)
  scan.mark = { ...(before ?? mark), logged }
}

function visitSealed(scan: Scan, { payload: jws, segment, newest }: FoundEntry): void {
  const { mark } = scan
  const { header, payload } = readRecord(jws)
  const { rid, instance, seq, prev } = payload
  if (mark === undefined) throw damaged('a segment does not begin with a mark')
  const digest = recordDigest(jws)
  const known = scan.sealed.get(seq)
  if (known !== undefined && known.digest !== digest) throw damaged(`two records ${seq}`)
  if (seq === mark.seq + 1 && prev === mark.digest)
    scan.mark = { ...mark, seq, digest, key: header['x5t#S256'] }
  else if (seq > mark.seq) throw damaged(`record ${mark.seq + 1} is missing`)
  const draft = scan.complete.get(rid) ?? scan.intents.get(rid)
  scan.complete.delete(rid)
  scan.intents.delete(rid)
  scan.orphans.delete(rid)
  const record = { rid, kind: payload.kind as RecordKind, instance, seq, jws }
  const first = known?.segment ?? draft?.segment ?? segment
  scan.sealed.set(seq, { record, digest, segment: first, newest })
}

function damaged(what: string): Problem {
  return new Problem(
    'evidence-unavailable',
    `the journal contradicts itself: ${what}; keep all files and restore it from a copy of the disk`,
  )
}
