import { expect } from 'chai'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeForeign } from '../foreign/tool.ts'
import { startFlakyLine } from '../support/flaky.ts'
import { createInstallation } from '../support/installation.ts'
import { rows, rowsPolicy, startTaker } from '../support/long.ts'

const README = readFileSync(new URL('../../gateway/upload/README.md', import.meta.url), 'utf8')
const SCRIPT = /```sh\n(.*?)```/s.exec(README)?.[1] ?? ''

describeForeign('resumable uploads by curl', ['curl', '--version'], () => {
  it('run as the README has them, over a line that breaks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealgate-curl-'))
    const taker = await startTaker()
    const installation = await createInstallation(taker.url)
    installation.addPolicy('rows.yaml', rowsPolicy().replace('/rows', '/repayment-files'))
    const gateway = await installation.start({ limits: { BODY_BYTES_MAX: 4096 } })
    const line = await startFlakyLine(gateway.relayUrl, [120_000, 90_000, 200_000])
    const issuer = createServer((_request, response) => {
      void installation.platform.jwt('harbour-bank').then((jwt) => response.end(jwt))
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    try {
      const body = rows(8000)
      writeFileSync(join(folder, 'file.ndjson'), body)
      const issuing = `jwt() { curl -s http://127.0.0.1:${(issuer.address() as AddressInfo).port}/; }\n`
      const env = { ...process.env, GATEWAY: line.url, FILE: 'file.ndjson' }
      const { stdout } = await promisify(execFile)('bash', ['-euc', issuing + SCRIPT], { cwd: folder, env, timeout: 30_000 }) // prettier-ignore
      expect(line.cuts()).to.equal(3)
      expect(taker.taken).to.have.length(1)
      expect(taker.taken[0]?.body.toString().match(/"loan"/g)).to.have.length(8000)
      const [answer, state] = stdout.split(/(?=\{"evidenceId")/)
      expect(answer).to.equal('{}')
      expect(JSON.parse(state ?? '')).to.include({ complete: true, offset: Buffer.byteLength(body), outcome: 'answered', status: 200 }) // prettier-ignore
    } finally {
      issuer.close()
      await line.close()
      await gateway.close()
      await taker.close()
      installation.remove()
      rmSync(folder, { recursive: true })
    }
  })
})
