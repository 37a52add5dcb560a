/** The chain of an instance's records: numbers, links and seals drafts in order, off the caller's path. @module */
import type { Clock } from '../base/clock.ts'
import type { Appended } from './journal/journal.ts'
import type { Entry } from './journal/entry.ts'
import { SEAL_RECORDS_MAX } from './limits.ts'
import { writePayload, type Draft, type Origin } from './payload.ts'
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
  readonly append: (entry: Entry, appended: Appended) => void
  /** Called in order of `seq`, each when durable: nobody may see a seal before. */
  readonly sealed: (item: Sealed, key: string) => void
}

export interface Chain {
  /** Seals a draft soon: the caller's answer goes first. */
  push(item: Pending): void
  /** Seals everything now. */
  flush(): void
}

/** Continues the chain from a head. */
export function createChain(ports: ChainPorts, start: Head): Chain {
  const queue: Pending[] = []
  let head = start
  let scheduled = false
  const seal = (count: number) => {
    for (const item of queue.splice(0, count)) {
      const key = ports.key()
      if (key.thumbprint !== head.key) sealNext(ports.announce(key, head, item.segment), key)
      sealNext(item, key)
    }
  }
  const sealNext = (item: Pending, key: BoundKey) => {
    const sealed = sealItem(ports, item, key, head)
    head = { seq: sealed.record.seq, digest: sealed.digest, key: key.thumbprint }
    // A failure has stopped the whole journal: the restart finds the draft and seals it anew.
    ports.append({ type: 'sealed', payload: sealed.record.jws }, (problem) => {
      if (problem === undefined) ports.sealed(sealed, key.thumbprint)
    })
  }
  const turn = () => {
    seal(SEAL_RECORDS_MAX)
    scheduled = queue.length > 0
    if (scheduled) setImmediate(turn)
  }
  return {
    push: (item) => {
      queue.push(item)
      if (!scheduled) setImmediate(turn)
      scheduled = true
    },
    flush: () => seal(queue.length),
  }
}

function sealItem(
  ports: ChainPorts,
  { draft, segment }: Pending,
  key: BoundKey,
  head: Head,
): Sealed {
  const { instance, origin, clock, random } = ports
  const seq = head.seq + 1
  const payload = writePayload(draft, origin, { instance, seq, prev: head.digest }, random)
  const jws = key.seal(payload, Number(clock.wallUs() / 1_000_000n))
  const kind = draft['kind'] as RecordKind // INVARIANT: every first draft of a record has a kind.
  return {
    record: { rid: draft.rid, kind, instance, seq, jws },
    digest: recordDigest(jws),
    segment,
  }
}
