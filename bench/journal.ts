/** What group commit costs: durable entries per second and CPU per entry, by number of writers. @module */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFiles } from '../evidence/journal/files.ts'
import { openJournal, type Journal } from '../evidence/journal/journal.ts'

const ENTRY_BYTES = 1024
const SECONDS = 1
const MARK = { type: 'mark', payload: '{}' } as const

/** @throws when the journal does not hold exactly what it acknowledged. */
async function measure(folder: string, writers: number) {
  const journal = await (
    await openJournal(nodeFiles(folder))
  ).start(
    () => MARK,
    () => undefined,
  )
  const cpu = process.cpuUsage()
  const started = performance.now()
  const latencies = await load(journal, writers, started + 1000 * SECONDS)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  await journal.close()
  checkEntries(await openJournal(nodeFiles(folder)), latencies.length)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN
  return {
    writers,
    'entries/s': Math.round(latencies.length / seconds),
    'CPU µs/entry': Number(((user + system) / latencies.length).toFixed(1)),
    'p50 ms': Number(at(0.5).toFixed(2)),
    'p99 ms': Number(at(0.99).toFixed(2)),
  }
}

async function load(journal: Journal, writers: number, endMs: number): Promise<number[]> {
  const latencies: number[] = []
  const payload = 'x'.repeat(ENTRY_BYTES)
  const write = async () => {
    while (performance.now() < endMs) {
      const started = performance.now()
      await new Promise<void>((resolve, reject) => {
        journal.append({ type: 'event', payload }, (problem) =>
          problem === undefined ? resolve() : reject(problem),
        )
      })
      latencies.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
  return latencies
}

function checkEntries(found: Awaited<ReturnType<typeof openJournal>>, want: number): void {
  let count = 0
  for (const { type, payload } of found.entries()) {
    if (type === 'event' && payload.length === ENTRY_BYTES) count += 1
  }
  found.abandon()
  if (count !== want) throw new Error(`the journal holds ${count} entries, expected ${want}`)
}

async function inFolder(writers: number) {
  const folder = mkdtempSync(join(process.cwd(), '.bench-journal-')) // Not /tmp: it may be memory.
  try {
    return await measure(folder, writers)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await inFolder(64) // Warms the code up.
const rows = []
for (const writers of [1, 16, 64, 256]) rows.push(await inFolder(writers))
console.table(rows)
