/** Appends without end, to be killed. Arguments: data folder, seed. Prints how many are in. @module */
import { join } from 'node:path'
import { openLog } from '../../evidence/log/open.ts'
import { recordMaker } from '../log/records.ts'

const [data = '', seed = '1'] = process.argv.slice(2)
const log = await openLog({ data, log: join(data, 'log'), origin: 'log.test/evr', batchMs: 0 })
const maker = recordMaker(Number(seed))
for (let done = 0; ;) {
  const records = maker.many(1 + (done % 97))
  await log.append(records)
  done += records.length
  process.stdout.write(`${done}\n`)
}
