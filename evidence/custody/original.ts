/** The original of a body that is too long for a claim: encrypted on its way, never in memory whole. @module */
import { createHmac } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { ORIGINAL_SYNC_BYTES } from '../limits.ts'
import { startEncoder } from './coding.ts'
import type { CustodyStore, Part, Stored, StoredFile } from './store.ts'

/** A body on its way into custody. */
export interface Original {
  /** Keeps the next part. @throws {Problem} `evidence-unavailable` */
  write(bytes: Uint8Array): Promise<void>
  /** Nothing more will come; resolves when all is durable, at once the second time. @throws {Problem} as above */
  finish(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/** What the keys of a body are derived from (RFC 8188 §2.1). @param secret the record's, which custody keeps. */
export function bodySecret(secret: Buffer, part: Part): Buffer {
  return createHmac('sha256', secret).update(`original:${part}`).digest()
}

/** Starts one; its file is made with the first part. */
export function startOriginal(store: CustodyStore, item: Stored, secret: Buffer): Original {
  const encoder = startEncoder(bodySecret(secret, item.part))
  let file: StoredFile | undefined
  let unsynced = 0
  let ended = false
  // A body is read ahead where it is decoded: it may still be written while the exchange ends.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }
  const append = async (bytes: Buffer): Promise<void> => {
    file ??= await store.create(item)
    if (bytes.length > 0) await file.append(bytes)
    unsynced += bytes.length
    if (unsynced < ORIGINAL_SYNC_BYTES) return
    unsynced = 0
    await file.sync()
  }
  return {
    write: (bytes) =>
      inTurn(() =>
        durable(async () => {
          if (ended) throw new Error('the exchange has ended')
          await append(encoder.write(bytes))
        }),
      ),
    finish: () =>
      inTurn(async () => {
        if (ended) return
        ended = true
        try {
          await durable(async () => {
            await append(encoder.end())
            await file?.sync()
          })
        } finally {
          await file?.close()
        }
      }),
    abandon: () =>
      inTurn(async () => {
        if (!ended) await file?.close()
        ended = true
        if (file !== undefined) await store.remove(item)
      }),
  }
}

async function durable(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw new Problem('evidence-unavailable', 'custody could not be made durable', { cause })
  }
}
