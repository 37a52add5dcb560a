/**
 * A process that records under load until it is killed: `victim.ts FOLDER`. Each line on stdout is
 * an exchange whose intent it may rely on; `log.txt` takes what reaches the log. @module
 */
import { appendFileSync, closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openRecorder } from '../../../evidence/recorder.ts'
import type { SealedRecord } from '../../../evidence/record.ts'
import { ANSWERED, intentOf, newRid, recorderOptions } from '../support.ts'
import { fileIdentity } from './identity.ts'

const WRITERS = 32
const folder = process.argv[2] ?? ''
const logFile = openSync(join(folder, 'log.txt'), 'a')
writeSync(logFile, '\n') // Ends a line that the process before could not finish.

async function persist(records: readonly SealedRecord[]): Promise<void> {
  writeSync(logFile, records.map(({ jws }) => jws + '\n').join(''))
  fsyncSync(logFile)
}

async function work(): Promise<void> {
  for (;;) {
    const rid = newRid()
    await recorder.intend(intentOf(rid, [{ name: 'f:$.name', json: '"planted-value"' }]))
    appendFileSync(1, rid + '\n')
    if (Math.random() < 0.05) continue // Its outcome never comes.
    await recorder.conclude(rid, ANSWERED)
  }
}

const recorder = await openRecorder({
  ...recorderOptions(join(folder, 'journal'), persist),
  identity: () => fileIdentity(folder),
  segmentBytesMax: 100_000,
})
process.once('exit', () => closeSync(logFile))
await Promise.all(Array.from({ length: WRITERS }, work))
