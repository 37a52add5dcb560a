/** The past exchanges of an installation, read from its log for `policy replay`. @module */
import { openReader } from '../evidence/log/reader.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readRecord } from '../evidence/seal.ts'
import type { Config } from '../gateway/config.ts'
import { logPlaces } from '../gateway/places.ts'
import { type PastExchange, pastOf } from '../gateway/policy/replay.ts'

const BUNDLE_RECORDS = 256

/** Every logged exchange that went by a version of this policy; manifests only, seals unverified. */
export async function readPast(config: Config, policyId: string): Promise<readonly PastExchange[]> {
  const reader = await openReader(openFolderStore(logPlaces(config).log))
  const past: PastExchange[] = []
  for (let first = 0; first < reader.checkpoint.size; first += BUNDLE_RECORDS) {
    for (const { jws } of await reader.bundle(first / BUNDLE_RECORDS)) {
      const exchange = pastOf(readRecord(jws).payload)
      if (exchange?.policy.id === policyId) past.push(exchange)
    }
  }
  return past
}
