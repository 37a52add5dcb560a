/** Reads an installation's log as an expert would: from the files, with no help of the gateway. @module */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FsckReport, fsck } from '../../evidence/log/fsck.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { openReader } from '../../evidence/log/reader.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { readRecord } from '../../evidence/seal.ts'
import type { Config } from '../../gateway/config.ts'
import { logPlaces } from '../../gateway/places.ts'

/** The parts of a record's payload that tests look at. */
export interface Payload {
  readonly rid: string
  readonly kind: string
  readonly seq: number
  readonly instance: string
  readonly outcome?: string
  readonly problem?: string
  readonly status?: number
  readonly [member: string]: unknown
}

/** Every record in the log, in order; none when there is no log yet. */
export async function readRecords(config: Config): Promise<Payload[]> {
  const store = openFolderStore(logPlaces(config).log)
  if ((await store.get('checkpoint')) === undefined) return []
  const reader = await openReader(store)
  const records: Payload[] = []
  for (let bundle = 0; bundle * 256 < reader.checkpoint.size; bundle++) {
    for (const { jws } of await reader.bundle(bundle)) {
      records.push(readRecord(jws).payload as unknown as Payload)
    }
  }
  return records
}

/** Waits until the record of an Evidence-Id is in the log. */
export async function findRecord(config: Config, rid: unknown): Promise<Payload> {
  for (let attempt = 0; attempt < 250; attempt++) {
    const found = (await readRecords(config)).find((record) => record.rid === rid)
    if (found !== undefined) return found
    await sleep(20)
  }
  throw new Error(`no record ${String(rid)} in the log`)
}

/** Re-derives the whole log. @throws {Problem} `log-inconsistent` */
export function checkLog(config: Config): Promise<FsckReport> {
  const { log, data, origin } = logPlaces(config)
  const verifiers = openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier)
  return fsck({ store: openFolderStore(log), verifiers })
}
