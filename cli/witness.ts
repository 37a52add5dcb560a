/** `sealgate witness`: what a bank or a platform runs to pin the history of our log. @module */
import type { Command } from 'commander'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { openKey } from '../evidence/log/keys.ts'
import { openLockStore } from '../evidence/log/lock.ts'
import {
  ED25519_COSIGNATURE,
  makeSigner,
  ML_DSA_44_COSIGNATURE,
  parseVerifier,
} from '../evidence/log/note.ts'
import { createWitnessServer } from '../evidence/log/witness-server.ts'

interface WitnessOptions {
  readonly name: string
  readonly log: readonly string[]
  readonly data: string
  readonly listen: string
}

/** Adds the command. It needs no configuration of a gateway, only the log's keys. */
export function addWitness(program: Command): void {
  program
    .command('witness')
    .description('cosign the checkpoints of logs, as long as they only grow')
    .requiredOption('--name <name>', 'this witness, such as bank.example.com/witness')
    .requiredOption('--log <vkey...>', 'verifier keys of the logs to watch')
    .option('--data <folder>', 'keys and state', './witness')
    .option('--listen <host:port>', 'address', '127.0.0.1:8082')
    .action(runWitness)
}

async function runWitness({ name, log, data, listen }: WitnessOptions): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const ed25519 = openKey(join(data, 'witness-ed25519.pem'), 'ed25519')
  const mlDsa = openKey(join(data, 'witness-ml-dsa-44.pem'), 'ml-dsa-44')
  const cosigners = [
    makeSigner(name, ED25519_COSIGNATURE, ed25519),
    makeSigner(name, ML_DSA_44_COSIGNATURE, mlDsa),
  ]
  const state = openLockStore(join(data, 'state.sqlite'))
  const alarm = (message: string, error: unknown): void => {
    const detail = error instanceof Error ? error.message : String(error)
    process.stderr.write(`witness: ${message}: ${detail}\n`)
  }
  const ports = { cosigners, logs: log.map(parseVerifier), state, clock: systemClock }
  const server = createWitnessServer(ports, alarm)
  const [, host = '127.0.0.1', port = '8082'] = /^(.*):(\d+)$/.exec(listen) ?? []
  server.listen(Number(port), host.replace(/^\[|\]$/g, ''))
  await once(server, 'listening')
  for (const { verifier } of cosigners) process.stdout.write(`${verifier.text}\n`)
  process.stdout.write(`witness: ready on ${listen}\n`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  state.close()
}
