/** Compiles a policy into what the engine runs on, and says what in it cannot be decided. @module */
import type { ManifestEntry } from '../../evidence/record.ts'
import type { BodyDialect } from '../policy/body.ts'
import type { Direction, Path, Policy, Position, Rule, Segment } from '../policy/policy.ts'
import { namesOfRules } from '../policy/public-path.ts'
import { STATES_MAX } from './limits.ts'
import { compileMatcher, type Matcher } from './matcher.ts'
import type { BoundRule, Program } from './program.ts'
import type { Transform, TransformTable } from './transform.ts'

/** Told of each mistake; a policy with any must not be used. */
export type Complain = (at: Position, message: string, help: string, code?: string) => void

/** The class of a kind, for the manifest. */
export type ClassOf = (kind: string) => ManifestEntry['class'] | undefined

/** Both directions of a route. */
export interface CompiledRoute {
  readonly request: CompiledDirection
  readonly response: CompiledDirection
}

/** One direction, ready for the functions of rewrite.ts. */
export interface CompiledDirection {
  /** What the policy says of how bodies are written. */
  readonly dialect: BodyDialect | undefined
  readonly body: Program
  readonly query: Program
  readonly headers: ReadonlyMap<string, BoundRule>
  /** The segments of the path: literal ones as text, parameters as their rule. */
  readonly path: readonly (string | BoundRule)[]
}

/** What binding a rule needs. */
interface Binder {
  readonly policy: Policy
  readonly table: TransformTable
  readonly complain: Complain
  readonly classOf: ClassOf
  readonly direction: 'request' | 'response'
}

/** Compiles both directions; never throws for what a policy says. */
export function compileRoute(
  policy: Policy,
  table: TransformTable,
  complain: Complain,
  classOf: ClassOf = () => undefined,
): CompiledRoute {
  const binder = { policy, table, complain, classOf }
  return {
    request: compileDirection({ ...binder, direction: 'request' }, policy.request),
    response: compileDirection({ ...binder, direction: 'response' }, policy.response),
  }
}

function compileDirection(binder: Binder, rules: Direction): CompiledDirection {
  const isRequest = binder.direction === 'request'
  const captures = isRequest ? capturesOf(binder) : new Map<string, Captured>()
  return {
    dialect: rules.body,
    body: compileProgram(binder, rules.fields, rules.unnamed, isRequest ? 'f:' : 'r:', captures),
    query: compileProgram(binder, rules.query, rules.unnamed, undefined, new Map()),
    headers: new Map(rules.headers.map((rule) => [nameOf(rule), bindRule(binder, rule)])),
    path: isRequest ? compilePath(binder, rules.pathParameters) : [],
  }
}

/** Names by the place that they name. */
interface Captured {
  readonly path: Path
  readonly names: string[]
}

function capturesOf({ policy, complain }: Binder): Map<string, Captured> {
  const captures = new Map<string, Captured>()
  const wanted = [...policy.evidence.links].map(([name, path]): [string, Path] => [
    `links.${name}`,
    path,
  ])
  if (policy.legal.consent !== undefined) wanted.push(['legal.consent', policy.legal.consent])
  for (const [name, path] of wanted) {
    if (path.some(({ step }) => step === 'wildcard' || step === 'descendant')) {
      complain(startOf(policy), `\`${name}\` may select many values`, 'use names and indexes only')
    }
    const key = JSON.stringify(path)
    const known = captures.get(key)
    if (known === undefined) captures.set(key, { path, names: [name] })
    else known.names.push(name)
  }
  return captures
}

function compileProgram(
  binder: Binder,
  rules: readonly Rule[],
  unnamed: Program['unnamed'],
  claims: Program['claims'],
  captures: ReadonlyMap<string, Captured>,
): Program {
  const targets = rules.flatMap((rule) => targetOf(binder, rule))
  const all = [...rules, ...targets]
  const matcher = compileMatcher(
    all.map(({ path }) => path),
    [...captures.values()].map(({ path }) => path),
    (first, second) => complainOfPair(binder, all[first], all[second]),
  )
  if (matcher === undefined) {
    const at = rules[0]?.at ?? startOf(binder.policy)
    const message = `these paths need over ${STATES_MAX} states`
    binder.complain(at, message, 'write fewer wildcards behind `..`')
  }
  return {
    matcher: matcher ?? EMPTY_MATCHER,
    rules: [
      ...rules.map((rule) => bindRule(binder, rule)),
      ...targets.map((target) => ({ ...UNDECIDED, text: target.text, verb: 'reserved' as const })),
    ],
    captures: [...captures.values()].map(({ names }) => names),
    unnamed,
    names: namesOfRules([...rules, ...captures.values()]),
    claims,
  }
}

const EMPTY_MATCHER = compileMatcher([], [], () => undefined) as Matcher

/** What stands in for a rule that cannot be bound; the policy is refused anyway. */
const UNDECIDED: BoundRule = {
  text: '',
  verb: 'scalar',
  transform: () => ({ change: 'refuse', why: 'the rule is not valid' }),
  to: undefined,
  entry: { rule: '', path: '', action: '' },
}

/** Transforms that leave a container as it is, and so take one. */
const VERBS = new Map<string, BoundRule['verb']>([
  ['keep', 'keep'],
  ['monitor', 'keep'],
  ['drop', 'drop'],
])

function bindRule(binder: Binder, rule: Rule): BoundRule {
  const { policy, table, direction, classOf } = binder
  const { action, kind, text } = rule
  const complain = (message: string, help: string, code?: string) =>
    binder.complain(rule.at, message, help, code)
  const negative = rule.path.map(stepOf).some((s) => s.step === 'index' && s.index < 0)
  if (negative)
    complain('an index counts from the end', 'count from the start: the body is read once')
  if (rule.path.length === 0 && action.transform === 'drop') {
    complain('`drop` would leave no body', 'drop the members instead')
  }
  const type = table.get(action.transform)
  if (type === undefined) {
    complain(
      `unknown transform \`${action.transform}\``,
      `use one of ${[...table.keys()].join(', ')}`,
    )
    return UNDECIDED
  }
  const binding = { from: policy.from, to: policy.to, purpose: policy.purpose, direction }
  const transform: Transform = type(action, { ...binding, kind: kind ?? 'any' }, complain)
  const classed = kind === undefined ? undefined : classOf(kind)
  return {
    text,
    verb: VERBS.get(action.transform) ?? 'scalar',
    transform,
    to: rule.to === undefined ? undefined : lastName(rule.to),
    entry: {
      rule: rule.id,
      path: text,
      action: action.transform,
      ...(kind === undefined ? {} : { kind }),
      ...(classed === undefined ? {} : { class: classed }),
    },
  }
}

/** The place that `to` writes to becomes a path of its own, so that the body cannot fill it too. */
function targetOf({ complain }: Binder, rule: Rule): { text: string; path: Path; at: Position }[] {
  if (rule.to === undefined) return []
  const from = lastName(rule.path)
  const parent = (path: Path) => JSON.stringify([path.slice(0, -1), path.at(-1)?.step])
  if (
    from === undefined ||
    lastName(rule.to) === undefined ||
    parent(rule.path) !== parent(rule.to)
  ) {
    complain(rule.at, '`to` leads out of the object', 'change the last name of the path only')
    return []
  }
  return from === lastName(rule.to) ? [] : [{ text: rule.text, path: rule.to, at: rule.at }]
}

function lastName(path: Path): string | undefined {
  const last = path.at(-1)
  const step = last === undefined ? undefined : stepOf(last)
  return step?.step === 'name' ? step.name : undefined
}

function stepOf(segment: Segment): Segment {
  return segment.step === 'descendant' ? segment.of : segment
}

interface Placed {
  readonly text: string
  readonly at: Position
}

function complainOfPair({ complain }: Binder, first?: Placed, second?: Placed): void {
  if (first === undefined || second === undefined) return
  const message = `\`${second.text}\` and \`${first.text}\` may select one value, with equal right`
  complain(second.at, message, 'make one of the paths more specific, or remove it', 'P006')
}

function compilePath(binder: Binder, rules: readonly Rule[]): (string | BoundRule)[] {
  const { policy, complain } = binder
  const bound = new Map(rules.map((rule) => [nameOf(rule), bindRule(binder, rule)]))
  for (const rule of rules) {
    if (rule.action.transform === 'drop')
      complain(rule.at, 'a path segment cannot be dropped', 'replace it')
  }
  return policy.when.path.split('/').map((segment) => {
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    if (name === undefined) return segment
    const rule = bound.get(name)
    if (rule !== undefined) return rule
    const at = rules[0]?.at ?? startOf(policy)
    complain(at, `no rule names the path parameter \`${name}\``, `add \`path: { ${name}: keep }\``)
    return UNDECIDED
  })
}

/** A place in a message that has names only: a header, or a path parameter. */
function nameOf(rule: Rule): string {
  return lastName(rule.path) ?? ''
}

function startOf(policy: Policy): Position {
  return { file: policy.source.file, line: 1, column: 1 }
}
