/** `sealgate policy …`: what an officer runs before a policy goes live. @module */
import type { Command } from 'commander'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { createReport, renderReport, type Report } from '../base/diagnostic.ts'
import { readBytes, readText } from '../gateway/config-files.ts'
import { loadConfig } from '../gateway/config-parse.ts'
import type { Config } from '../gateway/config.ts'
import type { Kinds } from '../gateway/guard/kinds.ts'
import { diffActive } from '../gateway/policy/diff.ts'
import {
  explainFrame,
  explainRules,
  explainSample,
  renderExplained,
} from '../gateway/policy/explain.ts'
import { readPolicyFiles } from '../gateway/policy/folder.ts'
import { loadKinds } from '../gateway/policy/kinds-file.ts'
import { lintTogether } from '../gateway/policy/lint.ts'
import type { Policy } from '../gateway/policy/policy.ts'
import { type CheckedPolicy, checkPolicies } from '../gateway/policy/registry.ts'
import { createRehearsal } from '../gateway/policy/rehearsal.ts'
import { type PastExchange, parsePast, replayManifests } from '../gateway/policy/replay.ts'
import { selectActive } from '../gateway/policy/routes.ts'
import { policySchema } from '../gateway/policy/schema.ts'
import { CONFIG_OPTION } from './config.ts'
import { readPast } from './policy-past.ts'

/** Exit codes: a change that a second person must approve; an error in a file. */
const EXIT_WIDENING = 1
const EXIT_ERRORS = 2
const POLICIES_DEFAULT = './policies'

/** Where commands write; the exit code goes to `process`. */
type Out = (text: string) => void

/** Adds `policy` and its subcommands. */
export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('check, test, explain and compare policies')
  const { writeOut = () => {}, writeErr = () => {} } = policy.configureOutput()
  const run = async (
    work: (report: Report, out: Out) => Promise<void>,
    told: Parameters<typeof renderReport>[1] = ['error'],
  ) => {
    const report = createReport()
    await work(report, writeOut)
    writeErr(renderReport(report, told))
    if (report.errorCount > 0) process.exitCode = EXIT_ERRORS
  }
  const paths = ['[path...]', 'policy files or folders', [POLICIES_DEFAULT]] as const
  policy
    .command('check')
    .description('tell everything that is wrong with policy files, at once')
    .argument(...paths)
    .option('--config <file>', 'also check sealgate.yaml, and that it has the parties')
    .action((names: string[], { config }: { config?: string }) =>
      run((report, out) => checkCommand(names, config, report, out), ['error', 'warning']),
    )
  policy
    .command('test')
    .description('run the tests inside policy files')
    .argument(...paths)
    .action((names: string[]) => run((report, out) => testCommand(names, report, out)))
  policy
    .command('explain')
    .description('say what a policy does to each field, by which line')
    .argument('<policy>', 'a policy file')
    .argument('[sample]', 'a JSON body; without it every rule is listed')
    .option('--response', 'the sample is a response')
    .action((file: string, sample: string | undefined, { response }: { response?: true }) =>
      run((report, out) =>
        explainCommand(file, sample, response ? 'response' : 'request', report, out),
      ),
    )
  policy
    .command('diff')
    .description(
      `say which fields newly reach whom; exit code ${EXIT_WIDENING} when a change discloses more`,
    )
    .argument('<old>', 'a policy file or folder')
    .argument('<new>', 'a policy file or folder')
    .action((before: string, after: string) =>
      run((report, out) => diffCommand(before, after, report, out)),
    )
  policy
    .command('replay')
    .description('say what a policy would have done to past exchanges, from their manifests')
    .argument('<policy>', 'a policy file')
    .argument('[records]', 'record payloads or sealed records, one on each line')
    .option(
      CONFIG_OPTION[0],
      'without records: replays the log of this installation',
      CONFIG_OPTION[2],
    )
    .action((file: string, records: string | undefined, { config }: { config: string }) =>
      run((report, out) => replayCommand(file, { records, config }, report, out)),
    )
  policy
    .command('schema')
    .description('print the JSON Schema of the policy language, for editors')
    .argument('[folder]', 'the policy folder, for its kinds', POLICIES_DEFAULT)
    .action((folder: string) => run((report, out) => schemaCommand(folder, report, out)))
}

async function check(
  paths: readonly string[],
  report: Report,
  config?: Config,
): Promise<readonly CheckedPolicy[]> {
  const kinds = kindsOf(paths, report)
  const names = {
    ...(kinds === undefined ? {} : { kinds }),
    ...(config === undefined ? {} : { parties: config.parties, envelopes: config.envelopes }),
  }
  return checkPolicies(readPolicyFiles(paths, report), names, report)
}

function kindsOf(paths: readonly string[], report: Report): Kinds | undefined {
  const [first = POLICIES_DEFAULT] = paths
  const isFolder = statSync(first, { throwIfNoEntry: false })?.isDirectory() === true
  return loadKinds(isFolder ? first : dirname(first), report)
}

function activeOf(checked: readonly CheckedPolicy[], report: Report): readonly Policy[] {
  return selectActive(
    checked.map(({ policy }) => policy),
    report,
  )
}

async function checkCommand(
  paths: readonly string[],
  file: string | undefined,
  report: Report,
  out: Out,
): Promise<void> {
  const config = file === undefined ? undefined : loadConfig(file, process.env, report)
  const checked = await check(paths, report, config)
  lintTogether(activeOf(checked, report), report)
  out(`${checked.length} ${checked.length === 1 ? 'policy' : 'policies'} checked\n`)
}

async function testCommand(paths: readonly string[], report: Report, out: Out): Promise<void> {
  const checked = await check(paths, report)
  for (const { policy, outcomes } of checked) {
    out(`${policy.id} ${policy.version}\n`)
    for (const { test, failures } of outcomes) {
      out(`  ${failures.length === 0 ? '✔' : '✘'} ${test.name}\n`)
    }
  }
  const outcomes = checked.flatMap((one) => one.outcomes)
  const failed = outcomes.filter(({ failures }) => failures.length > 0).length
  out(`${outcomes.length - failed} passed, ${failed} failed\n`)
}

async function explainCommand(
  file: string,
  sample: string | undefined,
  side: 'request' | 'response',
  report: Report,
  out: Out,
): Promise<void> {
  const [checked] = await check([file], report)
  if (checked === undefined) return
  const { policy } = checked
  out(`${explainFrame(policy)}\n`)
  if (sample === undefined) {
    out(`request\n${renderExplained(explainRules(policy.request))}`)
    out(`response\n${renderExplained(explainRules(policy.response))}`)
    return
  }
  const at = { file: sample, line: 1, column: 1 }
  const bytes = readBytes(sample, at, report, 'the sample')
  if (bytes === undefined) return
  const lines = explainSample(policy[side], bytes)
  if (lines === undefined)
    report.error(at, 'the sample cannot be read', 'save one body in it, as it is sent')
  else out(`${side}\n${renderExplained(lines)}`)
}

async function diffCommand(before: string, after: string, report: Report, out: Out): Promise<void> {
  const [old, now] = [await readSide(before, report), await readSide(after, report)]
  // A file that cannot be read would look like a policy that is gone.
  if (old === undefined || now === undefined) return
  const counts = { widening: 0, narrowing: 0, neutral: 0 }
  for (const { id, effects } of diffActive(old, now)) {
    out(`${id}\n`)
    for (const { effect, what, text, rule } of effects) {
      counts[effect]++
      const place = rule === undefined ? '' : `  (${rule.id} ${rule.at.file}:${rule.at.line})`
      out(`  ${{ widening: '+', narrowing: '-', neutral: '~' }[effect]} ${what} ${text}${place}\n`)
    }
  }
  out(`${counts.widening} widening, ${counts.narrowing} narrowing, ${counts.neutral} neutral\n`)
  if (counts.widening > 0) process.exitCode = EXIT_WIDENING
}

async function readSide(path: string, report: Report): Promise<readonly Policy[] | undefined> {
  const checked = await check([path], report)
  const isWhole = checked.length === readPolicyFiles([path], createReport()).length
  return isWhole && checked.length > 0 ? activeOf(checked, report) : undefined
}

async function replayCommand(
  file: string,
  from: { readonly records: string | undefined; readonly config: string },
  report: Report,
  out: Out,
): Promise<void> {
  const [checked] = await check([file], report)
  const past = checked && (await pastFrom(from, checked.policy, report))
  if (checked === undefined || past === undefined) return
  const { exchanges, changes, unnamed } = replayManifests(checked.policy, past)
  for (const { side, what, before, after, isWidening, ...count } of changes) {
    const sign = isWidening ? '+' : '-'
    out(
      `  ${sign} ${side} ${what}: ${before} → ${after}, ${count.values} values in ${count.exchanges} exchanges\n`,
    )
  }
  out(`${exchanges} exchanges replayed, ${changes.length} changes; `)
  out(`${unnamed} values had no rule, and no record of what they were\n`)
}

async function pastFrom(
  { records, config }: { readonly records: string | undefined; readonly config: string },
  policy: Policy,
  report: Report,
): Promise<readonly PastExchange[] | undefined> {
  if (records !== undefined) {
    const text = readText(records, { file: records, line: 1, column: 1 }, report, 'the records')
    return text === undefined ? undefined : parsePast(records, text, report)
  }
  const loaded = loadConfig(config, process.env, report)
  return loaded && readPast(loaded, policy.id)
}

async function schemaCommand(folder: string, report: Report, out: Out): Promise<void> {
  const kinds = kindsOf([folder], report)
  const transforms = createRehearsal(kinds).keys()
  const schema = policySchema({
    transforms,
    ...(kinds === undefined ? {} : { kinds: kinds.all.map(({ id }) => id) }),
  })
  out(`${JSON.stringify(schema, null, 2)}\n`)
}
