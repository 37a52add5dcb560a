import { expect } from 'chai'
import { spawnSync } from 'node:child_process'

/** Runs a tool of the repository and fails with what it printed. */
function run(command: string, ...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(command, parameters, { encoding: 'utf8' })
  expect(status, `${command} ${parameters.join(' ')}\n${stdout}${stderr}`).to.equal(0)
}

describe('toolchain', function () {
  this.timeout(180_000)
  it('type-checks', () => run('tsc'))
  it('type-checks the verifier page', () => run('tsc', '-p', 'evidence/page/browser'))
  it('is formatted', () => run('prettier', '--check', '.'))
  it('lints clean', () => run('biome', 'lint', '--error-on-warnings'))
})
