/** A worker in its own process, to be killed. Arguments: Redis URL, data folder. @module */
import { join } from 'node:path'
import { openLog } from '../../evidence/log/open.ts'
import { createEmbeddedPersist } from '../../workers/embedded.ts'
import { startPersistWorker } from '../../workers/worker.ts'

const [url = '', data = ''] = process.argv.slice(2)
const places = { data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 }
const { persist } = createEmbeddedPersist(() => openLog(places))
await startPersistWorker(url, persist, { alarm: () => undefined, lockMs: 1_000 })
process.stdout.write('ready\n')
