/** A small real log with one really sealed record in it, for verification tests. @module */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { uuidv7 } from '../../base/uuid.ts'
import { commit, derivedSecrets } from '../../evidence/commitment.ts'
import { exportRecord, type ExportPorts } from '../../evidence/export.ts'
import { openChains, saveChain } from '../../evidence/export-chains.ts'
import type { ExportedRecord } from '../../evidence/export-format.ts'
import { openSqliteIndex } from '../../evidence/index/sqlite.ts'
import { openLogKeys } from '../../evidence/log/keys.ts'
import { addName, type LogView, openLineReader } from '../../evidence/log/line.ts'
import { openLog } from '../../evidence/log/open.ts'
import { openFolderStore } from '../../evidence/log/store.ts'
import { FIRST_PREV, createSealer } from '../../evidence/seal.ts'
import type { Trust } from '../../evidence/verify-trust.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'
import { recordMaker } from './records.ts'

/** The line's name, and the name of the one log in it. */
export const ORIGIN = 'log.test/evr'
export const NAME = '2026h2'

/** What `makeEvidence` leaves in its folder, and what proves it. */
export interface Evidence {
  readonly exported: ExportedRecord
  readonly ports: ExportPorts
  /** The log that they prove records by. */
  readonly view: LogView
  readonly trust: Trust
  readonly rid: string
}

/** Seals one record, puts it among others into a log in `data`/log/2026h2, exports it with one opened value. */
export async function makeEvidence(data: string): Promise<Evidence> {
  const identity = await openSealIdentity(join(data, 'keys'), {
    instance: 'i-1',
    organization: 'Test',
    clock: systemClock,
  })
  const chain = [identity.certificateDer, ...identity.chainDer]
  saveChain(join(data, 'certificates'), chain)
  const seal = createSealer(identity)
  const secrets = derivedSecrets(randomBytes(32))
  const nowUs = systemClock.wallUs()
  const rid = uuidv7(Number(nowUs / 1000n), randomBytes(10))
  const claims = [
    { name: 'f:$.name', json: '"测试"' },
    { name: 'f:$.amount', json: '1.10' },
  ]
  const instance = uuidv7(Number(nowUs / 1000n), randomBytes(10))
  const payload = {
    ...{ v: 1, kind: 'exchange', rid, instance, seq: 1, prev: FIRST_PREV },
    times: { received: '2026-11-24T03:00:00.000000Z' },
    _sd: commit(secrets.secretOf(rid), claims),
    _sd_alg: 'sha-256',
  }
  const jws = seal(JSON.stringify(payload), Number(nowUs / 1_000_000n))
  const log = await openLog({
    data,
    log: join(data, 'log', NAME),
    origin: `${ORIGIN}/${NAME}`,
    batchMs: 0,
  })
  await log.append([
    ...recordMaker(31).many(300),
    { rid, kind: 'exchange', instance, seq: 1, jws },
    ...recordMaker(32).many(3),
  ])
  const index = openSqliteIndex(join(data, 'index.sqlite'))
  const keys = openLogKeys(join(data, 'keys'), ORIGIN).map(({ verifier }) => verifier)
  const root = openFolderStore(join(data, 'log'))
  await addName(root, NAME)
  const [view] = await openLineReader(root, keys)
  if (view === undefined) throw new Error('no log')
  const ports = {
    ...{ logs: [view], index, secrets, timestampRoots: [] },
    chainOf: openChains(join(data, 'certificates')),
  }
  const exported = await exportRecord(ports, rid, [{ name: 'f:$.name', value: '测试' }])
  await log.close()
  return { exported, ports, view, rid, trust: { roots: chain.slice(-1), logKeys: keys } }
}
