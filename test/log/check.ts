/** The deep check that follows every step: fsck with the log's own keys and its lock store. @module */
import { join } from 'node:path'
import { fsck, type FsckReport } from '../../evidence/log/fsck.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { openLockStore } from '../../evidence/log/lock.ts'
import type { LogPlaces } from '../../evidence/log/open.ts'
import { openFolderStore } from '../../evidence/log/store.ts'

export async function checkLog({ log, data, origin }: LogPlaces): Promise<FsckReport> {
  const lock = openLockStore(join(data, 'lock.sqlite'))
  return fsck({
    store: openFolderStore(log),
    verifiers: openLogKeys(join(data, 'keys'), origin).map(({ verifier }) => verifier),
    locked: async () => (await lock.read(origin))?.checkpoint,
  }).finally(() => lock.close())
}
