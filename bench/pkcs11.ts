/** Sealing with a key in memory beside one in a SoftHSM2 token: `node bench/pkcs11.ts`. @module */
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactVerify } from 'jose'
import { systemClock } from '../base/clock.ts'
import { openTokenIdentity } from '../evidence/pkcs11/identity.ts'
import { createSealer, type SealKey } from '../evidence/seal.ts'
import { openSealIdentity } from '../evidence/x509-identity.ts'

const MODULE = '/usr/lib/softhsm/libsofthsm2.so'
const [ROUNDS, SEALS] = [5, 2000]
const PAYLOAD = JSON.stringify({ v: 1, filler: 'x'.repeat(1000) })

const folder = mkdtempSync(join(tmpdir(), 'sealgate-bench-'))
const run = (command: string, ...args: readonly string[]): void => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
mkdirSync(join(folder, 'tokens'))
writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${folder}/tokens\n`)
writeFileSync(join(folder, 'pin'), '271828', { mode: 0o600 })
process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf')
run('softhsm2-util', ...['--init-token', '--free', '--label', 'b', '--pin', '271828', '--so-pin', '314159']) // prettier-ignore
run('pkcs11-tool', ...['--module', MODULE, '--token-label', 'b', '--login', '--pin', '271828', '--keypairgen', '--key-type', 'EC:prime256v1', '--sensitive', '--label', 'seal']) // prettier-ignore

const names = { instance: 'bench', organization: 'Bench', clock: systemClock }
const place = { module: MODULE, token: 'b', pin: join(folder, 'pin'), label: 'seal' }
const keys: Record<string, SealKey> = {
  memory: await openSealIdentity(join(folder, 'keys'), names),
  SoftHSM2: await openTokenIdentity(join(folder, 'keys'), place, names),
}
for (const { certificateDer, ...key } of Object.values(keys)) {
  const jws = createSealer({ ...key, certificateDer })(PAYLOAD, 1)
  await compactVerify(jws, new X509Certificate(certificateDer).publicKey)
}
const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, key] of Object.entries(keys)) {
    const seal = createSealer(key)
    const start = performance.now()
    for (let at = 0; at < SEALS; at += 1) seal(PAYLOAD, at)
    const us = ((performance.now() - start) / SEALS) * 1000
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, us))
  }
}
for (const [name, us] of best) {
  process.stdout.write(`${name.padEnd(10)} ${us.toFixed(1)} µs a seal, best of ${ROUNDS}\n`)
}
rmSync(folder, { recursive: true })
