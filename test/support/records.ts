/** Reads an installation's log as an expert would: from the files, with no help of the gateway. @module */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLeaf } from '../../evidence/log/entry.ts'
import type { FsckReport } from '../../evidence/log/fsck.ts'
import { fsckLine } from '../../evidence/log/fsck-line.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { openLineReader, readNames } from '../../evidence/log/line.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { isTurn } from '../../evidence/log/turn.ts'
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
  const root = openFolderStore(logPlaces(config).log)
  if ((await readNames(root)).length === 0) return []
  const records: Payload[] = []
  for (const { reader } of await openLineReader(root, [])) {
    for (let bundle = 0; bundle * 256 < reader.checkpoint.size; bundle++) {
      for (const { leaf, jws } of await reader.bundle(bundle)) {
        if (isTurn(parseLeaf(leaf)?.kind)) continue
        records.push(readRecord(jws).payload as unknown as Payload)
      }
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

/** Waits until a record that fits is in the log, and gives the newest of them. */
export async function findFitting(
  config: Config,
  fits: (record: Payload) => boolean,
): Promise<Payload> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const found = (await readRecords(config)).findLast(fits)
    if (found !== undefined) return found
    await sleep(20)
  }
  throw new Error('no record that fits in the log')
}

/** Re-derives the whole line of logs. @throws {Problem} `log-inconsistent` */
export async function checkLog(config: Config): Promise<FsckReport> {
  const { log, data, origin } = logPlaces(config)
  const keys = openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier)
  const root = openFolderStore(log)
  const ports = { root, origin, keys, locked: async () => undefined, progress: () => undefined }
  const sound = await fsckLine(ports)
  return { ...(sound.at(-1) as FsckReport), size: sound.reduce((sum, { size }) => sum + size, 0) }
}
