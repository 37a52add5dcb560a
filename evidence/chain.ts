/** The chain of an instance's records: numbers, links and seals drafts in order, off the caller's path. @module */
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { Appended, Journal } from './journal/journal.ts'
import { SEAL_GATHER_MS, SEAL_RECORDS_MAX, SEAL_RETRY_MS } from './limits.ts'
import type { Draft, Members } from './draft.ts'
import { originMembers, writePayload, type Origin } from './payload.ts'
import type { RecordKind, SealedRecord } from './record.ts'
import { recordDigest } from './seal.ts'
import type { BoundKey } from './seal-key.ts'

/** The newest record of an instance; `seq` 0 and the fixed first `prev` before there is one. */
export interface Head {
  readonly seq: number
  readonly digest: string
  /** Thumbprint of the certificate that sealed it; empty before the first record. */
  readonly key: string
}

/** A draft that is durable and waits for its seal; `segment` is where its first entry stands. */
export interface Pending {
  readonly draft: Draft
  readonly segment: number
}

/** A sealed record that is durable and waits for the log. */
export interface Sealed {
  readonly record: SealedRecord
  readonly digest: string
  readonly segment: number
}

export interface ChainPorts {
  readonly instance: string
  readonly origin: Origin
  readonly clock: Clock
  readonly random: (size: number) => Buffer
  readonly key: () => BoundKey
  /** Makes the record that stands before a key's first other one, and counts it. */
  readonly announce: (key: BoundKey, before: Head, segment: number) => Pending
  readonly append: Journal['append']
  /** Told when the key does not sign; what waits is tried again later. */
  readonly stalled: (error: Problem) => void
  /** Called in order of `seq`, each when durable: nobody may see a seal before. */
  readonly sealed: (item: Sealed, key: string) => void
}

export interface Chain {
  /** Seals a draft soon: the caller's answer goes first, and several together cost less than one by one. */
  push(item: Pending): void
  /** Seals everything now. @throws {Problem} `key-unusable` when the key does not sign. */
  flush(): void
}

/** Continues the chain from a head. */
export function createChain(ports: ChainPorts, start: Head): Chain {
  const queue: Pending[] = []
  const origin = originMembers(ports.origin, ports.instance)
  let head = start
  let scheduled = false
  let announcement: { readonly item: Pending; readonly key: BoundKey } | undefined
  const seal = (count: number) => {
    let done = 0
    try {
      for (const item of queue.slice(0, count)) {
        const key = announcement?.key ?? ports.key()
        if (key.thumbprint !== head.key) {
          // Made once, however often the key then fails to sign.
          announcement ??= { item: ports.announce(key, head, item.segment), key }
          sealNext(announcement.item, key)
          announcement = undefined
        }
        sealNext(item, key)
        done += 1
      }
    } finally {
      queue.splice(0, done)
    }
  }
  const sealNext = (item: Pending, key: BoundKey) => {
    const sealed = sealItem(ports, origin, item, { key, head })
    head = { seq: sealed.record.seq, digest: sealed.digest, key: key.thumbprint }
    // A failure has stopped the whole journal: the restart finds the draft and seals it anew.
    const appended: Appended = (problem) => {
      if (problem === undefined) ports.sealed(sealed, key.thumbprint)
    }
    ports.append({ type: 'sealed', payload: sealed.record.jws }, appended, 'later')
  }
  const turn = () => {
    try {
      seal(SEAL_RECORDS_MAX)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      ports.stalled(error)
      setTimeout(turn, SEAL_RETRY_MS).unref() // Accepted is accepted: the journal has it.
      return
    }
    scheduled = queue.length > 0
    if (scheduled) setImmediate(turn)
  }
  return {
    push: (item) => {
      queue.push(item)
      if (!scheduled) setTimeout(turn, SEAL_GATHER_MS)
      scheduled = true
    },
    flush: () => seal(queue.length),
  }
}

function sealItem(
  { instance, clock, random }: ChainPorts,
  origin: Members,
  { draft, segment }: Pending,
  { key, head }: { readonly key: BoundKey; readonly head: Head },
): Sealed {
  const seq = head.seq + 1
  const payload = writePayload(draft, origin, { seq, prev: head.digest }, random)
  const jws = key.seal(payload, Number(clock.wallUs() / 1_000_000n))
  const digest = recordDigest(jws)
  const { rid, facts } = draft
  const kind = draft.kind as RecordKind // INVARIANT: every first draft of a record has a kind.
  const known = facts === undefined ? {} : { known: { ...facts, digest } }
  return { record: { rid, kind, instance, seq, jws, ...known }, digest, segment }
}
