/** Witness policies (c2sp.org/tlog-policy): which logs are meant, and whose cosignatures are enough. @module */
import { Problem } from '../../base/problem.ts'
import { type Checkpoint, verifyCheckpoint } from './checkpoint.ts'
import { ED25519, parseVerifier, type Verifier } from './note.ts'
import { POLICY_BYTES_MAX, POLICY_LINES_MAX } from './limits.ts'

/** A witness with the address of its submission prefix, if the file has one. */
export interface Witness {
  readonly name: string
  readonly verifier: Verifier
  readonly url?: string
}

interface Group {
  readonly threshold: number
  readonly members: readonly string[]
}

/** A policy as read; groups name only what stands before them, so there are no circles. */
export interface WitnessPolicy {
  readonly logs: readonly Verifier[]
  readonly witnesses: readonly Witness[]
  readonly groups: ReadonlyMap<string, Group>
  /** A witness, a group, or `none`. */
  readonly quorum: string
}

/** Whose cosignatures a checkpoint carries, and whether they are enough. */
export interface PolicyResult {
  readonly met: boolean
  /** Names as in the policy, each with the time that it signed, seconds since the Unix epoch. */
  readonly cosigned: readonly { readonly name: string; readonly timeS: number }[]
}

/** Reads a policy file. @throws {Problem} `request-malformed` naming the line. */
export function parsePolicy(text: string): WitnessPolicy {
  if (text.length > POLICY_BYTES_MAX) {
    throw new Problem('request-malformed', `a witness policy has at most ${POLICY_BYTES_MAX} bytes`)
  }
  const draft: Draft = {
    logs: [],
    witnesses: [],
    groups: new Map(),
    names: new Set(),
    used: new Set(),
  }
  for (const [at, line] of text.split('\n').entries()) {
    const items = line.split(/[ \t]+/).filter((item) => item !== '')
    const [keyword = '#', ...rest] = items
    if (keyword.startsWith('#')) continue
    try {
      readLine(draft, keyword, rest)
    } catch (error) {
      const detail = error instanceof Problem ? error.message : 'unreadable'
      throw new Problem('request-malformed', `line ${at + 1}: ${detail}`, { cause: error })
    }
  }
  const { logs, witnesses, groups, quorum } = draft
  if (quorum === undefined) throw malformed('a policy has one `quorum` line')
  return { logs, witnesses, groups, quorum }
}

/** Evaluates the quorum over the cosignatures that verify; all others are ignored. */
export function checkPolicy(policy: WitnessPolicy, checkpoint: Checkpoint): PolicyResult {
  const cosigned = policy.witnesses.flatMap(({ name, verifier }) => {
    const timeS = verifyCheckpoint(checkpoint, verifier)?.timeS
    return timeS === undefined ? [] : [{ name, timeS }]
  })
  const witnessed = new Set(['none', ...cosigned.map(({ name }) => name)])
  // Groups stand in file order: members are decided before the groups that hold them.
  for (const [name, { threshold, members }] of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name)
  }
  return { met: witnessed.has(policy.quorum), cosigned }
}

interface Draft {
  readonly logs: Verifier[]
  readonly witnesses: Witness[]
  readonly groups: Map<string, Group>
  /** Witnesses and groups share their names. */
  readonly names: Set<string>
  /** Names that are members already: each counts in one way only. */
  readonly used: Set<string>
  quorum?: string
}

function readLine(draft: Draft, keyword: string, items: readonly string[]): void {
  const [first = '', second = '', third] = items
  const { logs, witnesses, groups } = draft
  if (keyword === 'log' && items.length >= 1 && items.length <= 2) {
    addUnique(logs, parseVerifier(first), (log) => log)
  } else if (keyword === 'witness' && items.length >= 2 && items.length <= 3) {
    const verifier = parseVerifier(second)
    if (verifier.type === ED25519) throw malformed('a log key cannot be a witness')
    const url = third === undefined ? {} : { url: third }
    addUnique(witnesses, { name: define(draft, first), verifier, ...url }, (one) => one.verifier)
  } else if (keyword === 'group' && items.length >= 3) {
    const members = items.slice(2)
    const threshold = readThreshold(second, members.length)
    for (const member of members) use(draft, member)
    groups.set(define(draft, first), { threshold, members })
    if (groups.size > POLICY_LINES_MAX) throw malformed(`more than ${POLICY_LINES_MAX} groups`)
  } else if (keyword === 'quorum' && items.length === 1) {
    if (draft.quorum !== undefined) throw malformed('a policy has one `quorum` line')
    if (first !== 'none' && !draft.names.has(first)) throw malformed(`\`${first}\` is not defined`)
    draft.quorum = first
  } else {
    throw malformed('expected `log`, `witness`, `group` or `quorum` with its items')
  }
}

function addUnique<Item>(items: Item[], item: Item, verifierOf: (item: Item) => Verifier): void {
  const { key } = verifierOf(item)
  // Two names for one key would let one witness count twice.
  if (items.some((other) => verifierOf(other).key.equals(key))) throw malformed('a key is repeated')
  if (items.length >= POLICY_LINES_MAX)
    throw malformed(`more than ${POLICY_LINES_MAX} lines of a sort`)
  items.push(item)
}

function define({ names }: Draft, name: string): string {
  if (name === 'none' || names.has(name)) throw malformed(`\`${name}\` is defined already`)
  names.add(name)
  return name
}

function use({ names, used }: Draft, member: string): void {
  if (!names.has(member)) throw malformed(`\`${member}\` is not defined`)
  if (used.has(member)) throw malformed(`\`${member}\` is a member already`)
  used.add(member)
}

function readThreshold(text: string, members: number): number {
  if (text === 'any') return 1
  if (text === 'all') return members
  const threshold = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0
  if (threshold >= 1 && threshold <= members) return threshold
  throw malformed(`expected \`any\`, \`all\` or 1 to ${members}`)
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', detail)
}
