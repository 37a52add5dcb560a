/**
 * `npm run bench`: what Sealgate costs, beside what people would write instead; writes
 * docs/performance.md. `npm run bench -- [table] [added-latency] [scale] [cost] [growth] [stream]`,
 * all but `stream` when none is named; `--short` tries everything with tiny counts and writes nothing;
 * `--records N` is how far `growth` goes. @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runAddedLatency } from './added-latency.ts'
import { runCost } from './cost.ts'
import { runGrowth } from './relay-growth.ts'
import { barsSvg } from './picture.ts'
import { machineText, writePicture, writeSection } from './report.ts'
import { runScale } from './scale.ts'
import { ratiosText, runTable, TABLE_SIZES, tablePicture, tableText } from './table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    records: { type: 'string', default: '100000' },
  },
})
const isShort = values.short
const few = isShort ? { rounds: 1, requests: 40 } : { rounds: 5, requests: 2000 }

const PARTS: Readonly<Record<string, () => Promise<string>>> = {
  table: async () => {
    const rows = await runTable(isShort ? TABLE_SIZES.short : TABLE_SIZES.full)
    const picture = isShort ? '' : writePicture('table', 'CPU per request', barsSvg(tablePicture(rows))) // prettier-ignore
    return [picture, tableText(rows), ratiosText(rows)].join('\n\n')
  },
  'added-latency': () => runAddedLatency(isShort ? 1 : 3, few.requests),
  scale: () => runScale(few.requests),
  cost: () => runCost(few.rounds, few.requests, isShort ? () => '' : writePicture),
  growth: () =>
    runGrowth({
      ...few,
      rounds: isShort ? 1 : 3,
      most: isShort ? 10 : 1000,
      records: isShort ? 1000 : Number(values.records),
    }),
  stream: runStream,
}

for (const name of positionals.length > 0
  ? positionals
  : ['table', 'cost', 'added-latency', 'scale', 'growth']) {
  const run = PARTS[name]
  if (run === undefined)
    throw new Error(`no part \`${name}\`; there are ${Object.keys(PARTS).join(', ')}`)
  const text = `${await run()}\n\n${machineText()}`
  process.stdout.write(`## ${name}\n\n${text}\n\n`)
  if (!isShort) writeSection(name, text)
}

/** The streaming benchmark is a program of its own; its report is this section. */
async function runStream(): Promise<string> {
  const parameters = [join(import.meta.dirname, 'stream.ts'), isShort ? '2' : '1000']
  const child = spawn(process.execPath, parameters, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`bench/stream.ts ended with ${code}`)
  return output.trim()
}
