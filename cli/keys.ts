/** `sealgate keys …`: the master keys from which tokens are made. @module */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { readPem } from '../evidence/pem.ts'
import { revokeCertificate } from '../evidence/x509-lists.ts'
import { readCertificate } from '../evidence/x509-profile.ts'
import {
  generateKeyRing,
  openKeyRing,
  retireKeys,
  rotateKeyRing,
} from '../gateway/token/ring-file.ts'
import { type KeyRing, listKeys } from '../gateway/token/ring.ts'
import { CONFIG_OPTION, readConfig } from './config.ts'

const PORTS = { clock: systemClock, random: (bytes: number) => randomBytes(bytes) }

/** Adds `keys generate`, `list`, `rotate` and `retire`. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('master keys of tokens and pseudonyms')
  add(keys, 'generate', 'make the first key; refuses to overwrite', (folder) =>
    generateKeyRing(folder, PORTS),
  )
  add(keys, 'list', 'list versions and their state, never key material', openKeyRing)
  keys
    .command('revoke')
    .description('revoke a seal certificate from now on, for good; records before stay good')
    .argument('<file>', 'the certificate, PEM: data/certificates/….pem')
    .option(...CONFIG_OPTION)
    .action(async (file: string, { config }: { config: string }) => {
      const folder = join((await readConfig(config)).data, 'keys')
      const [der] = readPem(readFileSync(file, 'utf8'))
      if (der === undefined) throw new Problem('key-unusable', 'the file holds no certificate')
      await revokeCertificate(folder, 'issuing', readCertificate(der).serial, systemClock)
      process.stdout.write('revoked; for a new key, remove data/keys/seal.pem and restart serve\n')
    })
  add(keys, 'rotate', 'make a new current version; older tokens stay revealable', (folder) =>
    rotateKeyRing(folder, PORTS),
  )
  keys
    .command('retire')
    .description('erase all versions below this one; their tokens can never be revealed again')
    .argument('<version>', 'the oldest version that stays', parseVersion)
    .option(...CONFIG_OPTION)
    .action(async (version: number, { config }: { config: string }) => {
      print(retireKeys(await folderOf(config), version))
    })
}

function add(
  keys: Command,
  name: string,
  description: string,
  action: (folder: string) => KeyRing,
): void {
  keys
    .command(name)
    .description(description)
    .option(...CONFIG_OPTION)
    .action(async ({ config }: { config: string }) => {
      print(action(await folderOf(config)))
    })
}

async function folderOf(config: string): Promise<string> {
  return join((await readConfig(config)).data, 'keys')
}

function parseVersion(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('expected a version, a whole number from 1')
}

function print(ring: KeyRing): void {
  for (const { version, epoch, state, created } of listKeys(ring)) {
    process.stdout.write(`${version}\t${epoch}\t${state}\t${created}\n`)
  }
}
