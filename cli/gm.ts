/** `sealgate gm sign|verify|certificate`: detached SM2 signatures over files. @module */
import type { Command } from 'commander'
import { readFileSync, writeFileSync } from 'node:fs'
import { systemClock, toDate } from '../base/clock.ts'
import { verifyDetached } from '../evidence/gm/cms.ts'
import { countersign, openSm2Identity } from '../evidence/gm/identity.ts'
import { readPem, toPem } from '../evidence/pem.ts'
import { sm2File } from '../gateway/places.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'

interface VerifyOptions {
  readonly certificate: string
  readonly at?: string
}

/** Adds the commands. `verify` exits 0 when the signature holds, 1 when it does not. */
export function addGm(program: Command, loadConfig: LoadConfig): void {
  const gm = program.command('gm').description('SM2 signatures over checkpoints, exports, any file')
  const identity = async ({ config }: { config: string }) =>
    openSm2Identity(sm2File(await loadConfig(config)), systemClock)
  gm.command('certificate')
    .description('print the certificate of the SM2 key, for those who verify')
    .option(...CONFIG_OPTION)
    .action(async (options: { config: string }) => {
      const { certificateDer } = await identity(options)
      process.stdout.write(toPem('CERTIFICATE', certificateDer))
    })
  gm.command('sign')
    .description('write FILE.p7s, a detached signature (GM/T 0010)')
    .argument('<file>')
    .option(...CONFIG_OPTION)
    .action(async (file: string, options: { config: string }) => {
      const message = await countersign(await identity(options), readFileSync(file))
      writeFileSync(`${file}.p7s`, message)
    })
  gm.command('verify')
    .description('check a detached signature; needs no configuration')
    .argument('<file>')
    .argument('<signature>', 'such as FILE.p7s')
    .requiredOption('--certificate <file>', "the signer's certificate (PEM), had by another way")
    .option('--at <time>', 'when it was signed, by trusted time; now unless told')
    .action((file: string, signature: string, { certificate, at }: VerifyOptions) => {
      const result = verifyDetached(readFileSync(signature), readFileSync(file), {
        trusted: readPem(readFileSync(certificate, 'utf8')),
        at: at === undefined ? toDate(systemClock.wallUs()) : new Date(at),
      })
      for (const reason of result.reasons) process.stderr.write(`✗ ${reason}\n`)
      const note = result.development ? ' (非依法设立的电子认证服务提供者签发)' : ''
      process.stdout.write(result.valid ? `✓ SM2 signature over ${file}${note}\n` : 'NOT VALID\n')
      process.exitCode = result.valid ? 0 : 1
    })
}
