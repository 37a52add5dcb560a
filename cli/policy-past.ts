/** The past exchanges of an installation, read from its log for `policy replay`. @module */
import { parseLeaf } from '../evidence/log/entry.ts'
import { openLineReader } from '../evidence/log/line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { TILE_WIDTH } from '../evidence/log/tile.ts'
import { isTurn } from '../evidence/log/turn.ts'
import { readRecord } from '../evidence/seal.ts'
import type { Config } from '../gateway/config.ts'
import { logPlaces } from '../gateway/places.ts'
import { type PastExchange, pastOf } from '../gateway/policy/replay.ts'

/** Every logged exchange that went by a version of this policy; manifests only, seals unverified. */
export async function readPast(config: Config, policyId: string): Promise<readonly PastExchange[]> {
  const past: PastExchange[] = []
  for (const { reader } of await openLineReader(openFolderStore(logPlaces(config).log), [])) {
    for (let first = 0; first < reader.checkpoint.size; first += TILE_WIDTH) {
      for (const { leaf, jws } of await reader.bundle(first / TILE_WIDTH)) {
        if (isTurn(parseLeaf(leaf)?.kind)) continue
        const exchange = pastOf(readRecord(jws).payload)
        if (exchange?.policy.id === policyId) past.push(exchange)
      }
    }
  }
  return past
}
