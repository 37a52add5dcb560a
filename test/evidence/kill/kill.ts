/** Kills a recording process again and again and checks what it leaves. `node kill.ts [KILLS]`. @module */
import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nodeFiles } from '../../../evidence/journal/files.ts'
import { openJournal } from '../../../evidence/journal/journal.ts'
import { openRecorder } from '../../../evidence/recorder.ts'
import { readRecord } from '../../../evidence/seal.ts'
import { recorderOptions, temporaryFolder, TestLog } from '../support.ts'
import { fileIdentity } from './identity.ts'

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url))

/** @returns how many exchanges were accepted and how many of them nobody knows the outcome of. */
export async function killAndCheck(kills: number): Promise<{ accepted: number; unknown: number }> {
  const folder = temporaryFolder()
  try {
    await fileIdentity(folder.path)
    const accepted: string[] = []
    for (let count = 0; count < kills; count++) accepted.push(...(await runAndKill(folder.path)))
    const log = await restart(folder.path)
    log.check()
    const rids = new Set(log.rids())
    expect(
      accepted.filter((rid) => !rids.has(rid)),
      'accepted but not recorded',
    ).to.deep.equal([])
    const unknown = log.payloads().filter((payload) => payload['outcome'] === 'unknown').length
    return { accepted: accepted.length, unknown }
  } finally {
    folder.remove()
  }
}

/** @returns what opening a journal gives while another process holds it, and once that was killed. */
export async function twoProcesses() {
  const folder = temporaryFolder()
  const open = async () => {
    const recorder = await openRecorder({
      ...recorderOptions(join(folder.path, 'journal'), new TestLog().persist),
      identity: () => fileIdentity(folder.path),
    })
    await recorder.close()
  }
  try {
    let whileFirstLives: unknown
    await runAndKill(folder.path, async () => {
      whileFirstLives = await open().catch((error: unknown) => error)
    })
    return { whileFirstLives, afterwards: await openJournal(nodeFiles(join(folder.path, 'journal'))).then((found) => found.abandon()) } // prettier-ignore
  } finally {
    folder.remove()
  }
}

/** Works for a random time after the first accepted exchange. */
async function runAndKill(
  folder: string,
  meanwhile = () => setTimeout(Math.random() * 60),
): Promise<string[]> {
  const child = spawn(process.execPath, [VICTIM, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const first = new Promise((resolve) => child.stdout.once('data', resolve))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await Promise.race([first, closed])
  await meanwhile()
  child.kill('SIGKILL')
  await closed
  return output.split('\n').slice(0, -1)
}

/** Everything that any process handed over, then what this start hands over. */
async function restart(folder: string): Promise<TestLog> {
  const log = new TestLog()
  const text = readFileSync(join(folder, 'log.txt'), 'latin1')
  const lines = text.split('\n').filter(isWhole) // A torn line was never acknowledged.
  await log.persist(lines.map((jws) => ({ ...identityOf(jws), jws })))
  const journal = join(folder, 'journal')
  const recorder = await openRecorder({
    ...recorderOptions(journal, log.persist),
    identity: () => fileIdentity(folder),
  })
  await recorder.idle()
  for (const name of readdirSync(journal)) {
    expect(readFileSync(join(journal, name)).includes('planted-value')).to.equal(false)
  }
  await recorder.close()
  return log
}

const isWhole = (line: string) => line.split('.')[2]?.length === 86

function identityOf(jws: string) {
  const { rid, instance, seq } = readRecord(jws).payload
  return { rid, kind: 'exchange' as const, instance, seq }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await killAndCheck(Number(process.argv[2] ?? 50)))
}
