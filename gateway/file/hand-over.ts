/** Hands sealed records to the running gateway, which holds the log. @module */
import { Problem } from '../../base/problem.ts'
import type { Persist, SealedRecord } from '../../evidence/record.ts'
import { makeJob } from '../../workers/job.ts'
import { HAND_OVER_CHARACTERS_MAX, HAND_OVER_RECORDS_MAX } from './limits.ts'

const TIMEOUT_MS = 30_000

/** @param base where the admin listener is called. @param secret the admin secret. */
export function handOverTo(base: string, secret: string): Persist {
  return async (records) => {
    for (const batch of batchesOf(records)) await post(base, secret, batch)
  }
}

async function post(base: string, secret: string, records: readonly SealedRecord[]): Promise<void> {
  const response = await fetch(new URL('/api/records', base), {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(makeJob(records)),
    redirect: 'error', // The secret goes to the configured address only.
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new Problem('log-unavailable', `no gateway answers at ${base}`, { cause })
  })
  await response.body?.cancel()
  if (!response.ok) {
    throw new Problem('log-unavailable', `the gateway took no records (status ${response.status})`)
  }
}

/** In order; a batch stays below what the admin API reads. */
function* batchesOf(records: readonly SealedRecord[]): Generator<readonly SealedRecord[]> {
  let batch: SealedRecord[] = []
  let characters = 0
  for (const record of records) {
    const isFull =
      batch.length >= HAND_OVER_RECORDS_MAX ||
      characters + record.jws.length > HAND_OVER_CHARACTERS_MAX
    if (isFull && batch.length > 0) {
      yield batch
      batch = []
      characters = 0
    }
    batch.push(record)
    characters += record.jws.length
  }
  if (batch.length > 0) yield batch
}
