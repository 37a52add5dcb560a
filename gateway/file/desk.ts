/**
 * Takes files one at a time, each to exactly one output or one refusal, and exactly one record.
 *
 * The order: the output is made and durable under a hidden name; the state is durable; the record is
 * durable, in one entry; the state is marked; the output gets its name; companions; the input moves;
 * the state goes. Up to the record a restart begins anew, from then on it finishes. @module
 */
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { newRid } from '../../evidence/random.ts'
import type { OpenRecorder } from '../../evidence/recorder.ts'
import type { Intent, MessageFacts } from '../../evidence/record.ts'
import { checkConsent } from '../http/consent.ts'
import { routeName } from '../http/facts.ts'
import type { Route } from '../route.ts'
import type { BodyGuard } from '../stream/window.ts'
import type { Progress } from '../stream/passage.ts'
import type { BodyFormat } from '../transform/format.ts'
import { type Companion, checkCompanions, writeCompanions } from './companion.ts'
import { exists, moveFile, moveOnce, removeFile, stampOf, writeWhole } from './folder.ts'
import { NAME_CHARACTERS_MAX } from './limits.ts'
import type { FileReport, FileState, States } from './state.ts'
import { transformFile } from './transform.ts'

/** What the desk needs of the rest. */
export interface DeskPorts {
  readonly clock: Clock
  readonly recorder: Pick<OpenRecorder, 'complete' | 'refuse' | 'body' | 'found' | 'failure'>
  readonly states: States
  /** The route in force, its format, and what looks at rows and at names. */
  readonly route: () => Route
  readonly format: () => BodyFormat
  readonly guard: BodyGuard
  readonly guardName: (name: string) => void
  readonly pseudonym: (name: string, value: string) => string
  /** Told of a file that is under way. @returns is told that it no longer is. */
  readonly begin: (file: FileBegun, progress: () => Progress) => () => void
}

/** A file that is under way; bytes of the input. */
export interface FileBegun {
  readonly name: string
  readonly record: string
  readonly total: number
}

/** Where one file goes. */
export interface Ways {
  readonly output: string
  readonly companions: readonly Companion[]
  /** Where inputs go in the end; absent: they stay where they are. */
  readonly done?: string
  readonly refused?: string
  /** Where the report of a refusal is written. */
  readonly reportAt: string
}

/** See above. */
export interface Desk {
  /** Finishes what a crash left, before any file is taken. */
  resume(): Promise<readonly FileReport[]>
  /** @throws what the file is not to blame for: it stays, and may be taken again. */
  take(input: string, ways: Ways): Promise<FileReport>
}

/** Opens a desk. */
export function createDesk(ports: DeskPorts): Desk {
  const { states, recorder } = ports
  return {
    resume: async () => {
      const reports: FileReport[] = []
      for (const state of await states.list()) {
        if (recorder.found.has(state.rid) || (await states.isMarked(state.rid))) {
          await finish(states, state)
          reports.push(state.report)
        } else {
          await removeFile(state.part)
          await states.remove(state.rid)
        }
      }
      return reports
    },
    take: (input, ways) => take(ports, input, ways),
  }
}

async function take(ports: DeskPorts, input: string, ways: Ways): Promise<FileReport> {
  const startedUs = ports.clock.wallUs()
  const rid = newRid(startedUs)
  // One name: what a crash left behind of it, the next attempt replaces.
  const part = join(dirname(ways.output), `.${basename(ways.output)}.part`)
  const file = { input, stamp: await stampOf(input), ways, rid, part, startedUs }
  try {
    return await deliver(ports, file)
  } catch (error) {
    if (error instanceof Undecided) throw error
    await removeFile(part)
    if (!(error instanceof Problem) || error.retry || error.status >= 500) throw error
    return await refuse(ports, file, error)
  }
}

interface Taken {
  readonly input: string
  readonly stamp: string
  readonly ways: Ways
  readonly rid: string
  readonly part: string
  readonly startedUs: bigint
}

async function deliver(ports: DeskPorts, file: Taken): Promise<FileReport> {
  const { clock, recorder } = ports
  const { input, ways, rid, part, startedUs } = file
  const name = basename(input)
  await checkName(ports, name, ways)
  const route = ports.route()
  const { policy } = route
  const format = ports.format()
  const { ledger } = recorder.body(rid, 'request')
  let done = () => {}
  const begin = (progress: () => Progress, total: number) => {
    done = ports.begin({ name, record: rid, total }, progress)
  }
  const rules = route.compiled.request
  const options = { rules, format, guard: ports.guard, ledger, begin }
  const made = transformFile(input, part, options).finally(() => done())
  const { passage, md5In, md5Out } = await made
  await checkCompanions(input, ways.companions, md5In)
  if (policy.legal.consent !== undefined) {
    const nowMs = Number(clock.wallUs() / 1000n)
    checkConsent(policy, passage.captured().get('legal.consent'), nowMs)
  }
  const facts = passage.facts('')
  const endedUs = clock.wallUs()
  const report: FileReport = {
    file: name,
    record: rid,
    result: 'delivered',
    policy: policy.id,
    ...(facts.rows === undefined
      ? {}
      : {
          rows: facts.rows.count,
          ...(facts.rows.dropped === undefined ? {} : { dropped: facts.rows.dropped }),
          rootReceived: facts.rows.received,
          rootForwarded: facts.rows.forwarded,
        }),
    bytesReceived: facts.length,
    bytesForwarded: facts.forwardedLength,
    seconds: secondsBetween(startedUs, endedUs),
  }
  const output = { path: ways.output, md5: md5Out }
  const state = { ...stateOf(file, report, ways.done), output }
  const request: MessageFacts = {
    ...facts,
    mediaType: format.mediaType,
    claims: [...facts.claims, { name: 'file_name', json: JSON.stringify(name) }],
  }
  const links = Object.fromEntries(
    [...passage.captured()]
      .filter(([link]) => link.startsWith('links.'))
      .map(([link, value]) => [link.slice(6), ports.pseudonym(link.slice(6), value.reveal())]),
  )
  const intent = { ...intentOf(route, rid, startedUs), links, request }
  await decide(ports, state, () =>
    recorder.complete(intent, { result: 'delivered', sentUs: endedUs }),
  )
  return report
}

/**
 * Whether a record is durable shows only at a restart, when its writing failed: nothing more is taken
 * in between, for the same file could get a second one.
 */
export class Undecided extends Error {}

/** Makes state and record durable, and then what they say true. */
async function decide(
  { recorder, states }: DeskPorts,
  state: FileState,
  record: () => Promise<void>,
): Promise<void> {
  const problem = recorder.failure()
  if (problem !== undefined) throw problem
  try {
    await states.put(state)
    await record()
    await states.mark(state.rid)
    await finish(states, state)
  } catch (cause) {
    throw new Undecided('start the command again: it finishes what it has begun', { cause })
  }
}

/** A name leaves with its file; and an output that stands there is somebody else's. */
async function checkName(ports: DeskPorts, name: string, ways: Ways): Promise<void> {
  if (name.length > NAME_CHARACTERS_MAX || /\p{Cc}/u.test(name)) {
    throw new Problem('file-refused', `expected a name of at most ${NAME_CHARACTERS_MAX} characters`) // prettier-ignore
  }
  ports.guardName(basename(ways.output))
  const taken = [ways.output, ...(ways.done === undefined ? [] : [join(ways.done, name)])]
  for (const path of taken) {
    if (await exists(path))
      throw new Problem('file-refused', 'a file of this name was delivered before')
  }
}

async function refuse(ports: DeskPorts, file: Taken, problem: Problem): Promise<FileReport> {
  const { clock, recorder } = ports
  const { input, ways, rid, startedUs } = file
  const { policy } = ports.route()
  const answeredUs = clock.wallUs()
  const name = basename(input)
  const report: FileReport = {
    file: name,
    record: rid,
    result: 'refused',
    policy: policy.id,
    bytesReceived: 0,
    bytesForwarded: 0,
    seconds: secondsBetween(startedUs, answeredUs),
    problem: problem.slug,
    detail: problem.message,
  }
  const state = { ...stateOf(file, report, ways.refused), reportAt: ways.reportAt }
  const { caller, recipient, route, policy: named } = intentOf(ports.route(), rid, startedUs)
  await decide(ports, state, () =>
    recorder.refuse({
      ...{ rid, receivedUs: startedUs, answeredUs, caller, recipient, route, policy: named },
      problem: problem.slug,
      status: problem.status,
      claims: [{ name: 'file_name', json: JSON.stringify(name) }],
    }),
  )
  return report
}

function stateOf(
  { input, stamp, ways, rid, part }: Taken,
  report: FileReport,
  keepIn: string | undefined,
): FileState {
  const { companions } = ways
  const kept = keepIn === undefined ? {} : { keepIn }
  return { v: 1, rid, input, stamp, companions, part, report, ...kept }
}

/** Does what the record says has been decided; each step may have been done before. */
async function finish(states: States, state: FileState): Promise<void> {
  const { rid, input, stamp, companions, part, output, keepIn, report, reportAt } = state
  if (output !== undefined) {
    if (await exists(part)) await moveFile(part, output.path)
    await writeCompanions(output.path, companions, output.md5)
  }
  if (reportAt !== undefined) {
    await mkdir(dirname(reportAt), { recursive: true })
    await writeWhole(reportAt, `${JSON.stringify(report, null, 2)}\n`)
  }
  if (keepIn !== undefined && (await stampOf(input)) === stamp) {
    await mkdir(keepIn, { recursive: true })
    // A second file of one name stands beside the first.
    const to = join(keepIn, basename(input))
    const free = output === undefined && (await exists(to)) ? `${to}.${rid}` : to
    // The file last: as long as it stands there, a restart moves the rest.
    for (const kind of companions) await moveOnce(`${input}.${kind}`, `${free}.${kind}`)
    await moveFile(input, free)
  }
  await states.remove(rid)
}

function intentOf({ policy }: Route, rid: string, receivedUs: bigint): Omit<Intent, 'request'> {
  const { id, version, digest, legal } = policy
  return {
    rid,
    receivedUs,
    // Who may write to the folder is the operating system's affair, and so says the record.
    caller: { id: policy.from, auth: 'folder', key: '' },
    recipient: policy.to,
    route: routeName(policy),
    policy: { id, version, digest },
    purpose: policy.purpose,
    legal: { basis: legal.basis, ...(legal.pia === undefined ? {} : { pia: legal.pia }) },
    links: {},
  }
}

function secondsBetween(fromUs: bigint, toUs: bigint): number {
  return Math.round(Number(toUs - fromUs) / 1000) / 1000
}
