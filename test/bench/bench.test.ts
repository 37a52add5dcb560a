import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const DOCS = join(ROOT, 'docs')
/** Name and time of everything under docs. */
const look = () =>
  readdirSync(DOCS, { recursive: true, encoding: 'utf8' }).map(
    (name) => `${name} ${statSync(join(DOCS, name)).mtimeMs}`,
  )

/** Runs parts of the benchmark with tiny counts; it checks every answer itself. */
async function runShort(...parts: string[]): Promise<string> {
  const child = spawn(process.execPath, ['bench/main.ts', ...parts, '--short'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, stderr).to.equal(0)
  return stdout
}

// Figures of such short runs mean nothing and are not looked at.
// prettier-ignore
const PARTS: { part: string; wants: readonly string[] }[] = [
  { part: 'table',         wants: ['| direct |', '| express + HPM, untouched |', '| express + HPM, rewrite |', '| Sealgate complete |', '| Sealgate complete, shared secrets |', 'complete ÷'] },
  { part: 'cost',          wants: ['| complete |', '| without evidence |', '| and without guard |'] },
  { part: 'added-latency', wants: ['50 %', '75 %'] },
  { part: 'scale',         wants: ['| 1 |', '| 4 |'] },
  { part: 'growth',        wants: ['| 1000 KB |', '| 10 |', '| 1000 |'] },
  { part: 'stream',        wants: ['| NDJSON | Sealgate |'] },
]

describe('npm run bench', function () {
  this.timeout(240_000)

  for (const { part, wants } of PARTS) {
    it(`measures ${part} in its short form, and leaves the page alone`, async () => {
      const before = look()
      const output = await runShort(part)
      for (const want of wants) expect(output).to.include(want)
      expect(look()).to.deep.equal(before)
    })
  }
})
