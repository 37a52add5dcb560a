/** `sealgate deposit`: hands in evidence that no relay made, in the name of a party. @module */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { ADMIN_OPTION, callAdmin } from './admin-client.ts'
import { CONFIG_OPTION, type LoadConfig } from './config.ts'

interface DepositOptions {
  readonly config: string
  readonly admin?: string
  readonly party: string
  readonly type: string
  readonly link?: Readonly<Record<string, string>>
  readonly content?: Readonly<Record<string, string>>
  readonly file?: string
}

/** Adds the command. The file stays here: only its SHA-256 goes to the gateway. */
export function addDeposit(program: Command, loadConfig: LoadConfig): void {
  program
    .command('deposit')
    .description("seal a document's digest or other facts as evidence of a case")
    .option(...CONFIG_OPTION)
    .option(...ADMIN_OPTION)
    .requiredOption('--party <id>', 'who hands it in')
    .requiredOption('--type <name>', 'what it is, such as contract or call-log')
    .option('--link <name=value>', 'case that it belongs to; repeatable', collectPair)
    .option('--content <name=value>', 'a fact to commit to; repeatable', collectPair)
    .option('--file <file>', 'a document, of which the SHA-256 is committed to')
    .action((options: DepositOptions) => hand(options, loadConfig))
}

async function hand(
  { config, admin, party, type, link = {}, content = {}, file }: DepositOptions,
  loadConfig: LoadConfig,
): Promise<void> {
  const sha256 = file === undefined ? {} : { sha256: hash('sha256', readFileSync(file), 'hex') }
  const body = { party, type, links: link, content, ...sha256 }
  const { evidenceId } = await callAdmin(await loadConfig(config), 'deposit', body, admin)
  process.stdout.write(`${String(evidenceId)}\n`)
}

function collectPair(text: string, before: Readonly<Record<string, string>> = {}) {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
