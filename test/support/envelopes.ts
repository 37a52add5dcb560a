/** Key files and envelopes of two partners that face each other, read as sealgate.yaml is. @module */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReport, renderReport } from '../../base/diagnostic.ts'
import { systemClock } from '../../base/clock.ts'
import { generateSm2Key, sm2Signer } from '../../evidence/gm/sm2.ts'
import { toPem } from '../../evidence/pem.ts'
import { loadConfig } from '../../gateway/config-parse.ts'
import { type Envelopes, openEnvelopes } from '../../gateway/envelope/envelope.ts'

/** Two partners' keys in one folder, and what configurations come to. */
export interface EnvelopeBench {
  readonly folder: string
  read(yaml: string): {
    readonly config: ReturnType<typeof loadConfig>
    /** `line:column: code: message` without the frame's own lines. */
    readonly findings: readonly string[]
  }
  /** The envelopes of one side; the other side has `ours` and `theirs` exchanged. */
  open(yaml: string, side?: 'here' | 'there'): Promise<Envelopes>
  put(name: string, content: string | Uint8Array, mode?: number): void
  remove(): void
}

const FRAME = 'operator: { name: 示例征信, role: bureau }\nparties: []\nenvelopes:\n'
/** Lines of the frame before the envelopes. */
const FRAME_LINES = 3

/** Makes keys of every sort: `a.*` and `b.*`, `*.pub` the public halves, and shared secrets. */
export function createEnvelopeBench(clock = systemClock): EnvelopeBench {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-envelopes-'))
  for (const name of ['policies', 'keys']) mkdirSync(join(folder, name))
  const put = (name: string, content: string | Uint8Array, mode = 0o600) =>
    writeFileSync(join(folder, 'keys', name), content, { mode })
  for (const side of ['a', 'b']) {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    put(`${side}.rsa`, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    put(`${side}.rsa.pub`, rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string)
    put(`${side}.rsa.jwk`, JSON.stringify(rsa.privateKey.export({ format: 'jwk' })))
    put(`${side}.rsa.pub.jwk`, JSON.stringify(rsa.publicKey.export({ format: 'jwk' })))
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    put(`${side}.ec.jwk`, JSON.stringify(ec.privateKey.export({ format: 'jwk' })))
    put(`${side}.ec.pub.jwk`, JSON.stringify(ec.publicKey.export({ format: 'jwk' })))
    const sm2 = generateSm2Key()
    put(`${side}.sm2`, toPem('PRIVATE KEY', sm2))
    put(`${side}.sm2.pub`, toPem('PUBLIC KEY', sm2Signer(sm2).spki))
  }
  put('key16', `hex:${randomBytes(16).toString('hex')}\n`)
  put('key32', `base64:${randomBytes(32).toString('base64')}\n`)
  put('iv16', 'text:0123456789abcdef')
  put('secret', 'text:a secret of some length')
  const file = join(folder, 'sealgate.yaml')
  const read = (yaml: string) => {
    writeFileSync(file, FRAME + yaml)
    const report = createReport()
    const config = loadConfig(file, {}, report)
    const findings = report.diagnostics.map(
      ({ at, code, message }) =>
        `${at.line - FRAME_LINES}:${at.column}: ${code === undefined ? '' : `${code}: `}${message}`,
    )
    return { config, findings, rendered: renderReport(report, ['error']) }
  }
  return {
    folder,
    put,
    read,
    open: async (yaml, side = 'here') => {
      const own = side === 'here' ? yaml : yaml.replace(/keys\/([ab])\./g, swap)
      const { config, rendered } = read(own)
      if (config === undefined) throw new Error(rendered)
      return openEnvelopes(config.envelopes, clock)
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

function swap(_all: string, side: string): string {
  return `keys/${side === 'a' ? 'b' : 'a'}.`
}
