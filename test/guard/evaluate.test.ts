import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)

describe('evaluate', () => {
  it('prints the table that gateway/guard/README.md shows, and blocks all C3', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['bench/evaluate.ts'], {
      cwd: fileURLToPath(ROOT),
    })
    const readme = readFileSync(new URL('gateway/guard/README.md', ROOT), 'utf8')
    expect(readme.endsWith(stdout), 'put what `npm run evaluate` prints to the end').to.equal(true)
    const [, blocked, bodies] = /C3 blocked: (\d+) of (\d+) bodies/.exec(stdout) ?? []
    expect(blocked).to.equal(bodies)
  })
})
