import { expect } from 'chai'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SEALGATE = new URL('../../cli/sealgate.js', import.meta.url).pathname

describe('a mistake at the command line', function () {
  this.timeout(20_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealgate-cli-'))
    writeFileSync(
      join(folder, 'sealgate.yaml'),
      'relay: { listen: 127.0.0.1:0 }\noperator: { name: T, role: bureau }\nparties: []\n',
    )
  })
  after(() => rmSync(folder, { recursive: true }))

  // prettier-ignore
  const CASES = [
    { name: 'a record that is not there', parameters: ['evidence', 'show', 'none', '--config', 'sealgate.yaml'] },
    { name: 'a file that is not there',   parameters: ['verify', 'none.json'] },
    { name: 'a configuration not there',  parameters: ['log', 'fsck', '--config', 'none.yaml'] },
    { name: 'a log that is not there',    parameters: ['log', 'fsck', '--config', 'sealgate.yaml'] },
  ]
  it('is not made by a reader that has seen enough', async () => {
    const child = spawn(process.execPath, [SEALGATE, 'policy', 'schema', 'policies'])
    child.stdout.destroy()
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const [code] = (await once(child, 'close')) as [number]
    expect({ code, said }).to.deep.equal({ code: 141, said: '' })
  })

  for (const { name, parameters } of CASES) {
    it(`ends with code 2 and no stack trace: ${name}`, () => {
      const { status, stderr } = spawnSync(process.execPath, [SEALGATE, ...parameters], {
        cwd: folder,
        encoding: 'utf8',
      })
      expect(stderr)
        .to.match(/\S/)
        .and.not.match(/\n\s+at /)
      expect(status, stderr).to.equal(2)
    })
  }
})
