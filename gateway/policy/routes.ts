/** Which policy version is active on which route, and which route a request takes. Pure. @module */
import type { Report } from '../../base/diagnostic.ts'
import type { Policy } from './policy.ts'

/** What a request matched: the version in force, and one that is only being watched. */
export interface RouteMatch<T> {
  readonly enforced: T
  readonly shadow?: T
  /** `{name}` → the segment as it was sent, still percent-encoded. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Finds the route of a request; the method is upper case, the path starts with `/`. */
export type MatchRoute<T> = (
  from: string,
  to: string,
  method: string,
  path: string,
) => RouteMatch<T> | undefined

/** The versions that count: of each policy the highest enforced one and the highest shadow above it. */
export function selectActive(policies: readonly Policy[], report: Report): readonly Policy[] {
  const active = new Map<string, Policy>()
  const seen = new Map<string, Policy>()
  for (const policy of policies) {
    const twin = seen.get(`${policy.id} ${policy.version}`)
    if (twin !== undefined) {
      complain(
        report,
        policy,
        `version ${policy.version} of \`${policy.id}\` stands in two files`,
        twin,
      )
    }
    seen.set(`${policy.id} ${policy.version}`, policy)
    const key = `${policy.mode} ${policy.id}`
    const rival = active.get(key)
    if (rival === undefined || rival.version < policy.version) active.set(key, policy)
  }
  for (const policy of active.values()) {
    if (policy.mode === 'enforce') continue
    const enforced = active.get(`enforce ${policy.id}`)
    // A shadow that was overtaken has had its day.
    if (enforced !== undefined && enforced.version > policy.version) {
      active.delete(`shadow ${policy.id}`)
    }
  }
  const routes = new Map<string, Policy>()
  for (const policy of active.values()) {
    const key = `${policy.mode} ${policy.from} ${policy.to} ${policy.when.method} ${shapeOf(policy)}`
    const rival = routes.get(key)
    if (rival !== undefined) {
      complain(
        report,
        policy,
        `the policies \`${rival.id}\` and \`${policy.id}\` have the same route`,
        rival,
      )
    }
    routes.set(key, policy)
  }
  return [...active.values()]
}

function complain(report: Report, { source }: Policy, message: string, rival: Policy): void {
  const at = { file: source.file, line: 1, column: 1 }
  report.error(at, message, `change or remove this file or ${rival.source.file}`, 'P010')
}

function shapeOf({ when }: Policy): string {
  return when.path.replace(/\{[^}]+\}/g, '{}')
}

/** Compiles the match over active policies. A literal segment wins over `{name}`, from the left. */
export function createMatch<T extends { readonly policy: Policy }>(
  active: readonly T[],
): MatchRoute<T> {
  const tables = { enforce: new Map<string, Node<T>>(), shadow: new Map<string, Node<T>>() }
  for (const item of active) {
    const { from, to, when, mode } = item.policy
    const key = keyOf(from, to, when.method)
    const root = tables[mode].get(key) ?? makeNode()
    tables[mode].set(key, root)
    const segments = when.path.split('/')
    addRoute(root, segments).route ??= { item, segments }
  }
  return (from, to, method, path) => {
    const key = keyOf(from, to, method)
    const segments = path.split('/')
    const found = findRoute(tables.enforce.get(key), segments)
    if (found === undefined) return undefined
    const shadow = findRoute(tables.shadow.get(key), segments)?.item
    const enforced = { enforced: found.item, parameters: parametersOf(found, segments) }
    return shadow === undefined ? enforced : { ...enforced, shadow }
  }
}

interface Route<T> {
  readonly item: T
  readonly segments: readonly string[]
}

/** Where paths that are alike so far part: by the next segment, or a parameter in its place. */
interface Node<T> {
  readonly literals: Map<string, Node<T>>
  parameter: Node<T> | undefined
  /** The route that ends here. */
  route: Route<T> | undefined
}

function makeNode<T>(): Node<T> {
  return { literals: new Map(), parameter: undefined, route: undefined }
}

// Party ids and methods hold no blank.
function keyOf(from: string, to: string, method: string): string {
  return `${from} ${to} ${method}`
}

function addRoute<T>(root: Node<T>, segments: readonly string[]): Node<T> {
  let node = root
  for (const segment of segments) {
    let next = segment.startsWith('{') ? node.parameter : node.literals.get(segment)
    if (next === undefined) {
      next = makeNode()
      if (segment.startsWith('{')) node.parameter = next
      else node.literals.set(segment, next)
    }
    node = next
  }
  return node
}

function findRoute<T>(
  node: Node<T> | undefined,
  segments: readonly string[],
  at = 0,
): Route<T> | undefined {
  const segment = segments[at]
  if (node === undefined || segment === undefined) return node?.route
  const literal = findRoute(node.literals.get(segment), segments, at + 1)
  if (literal !== undefined || !isPlain(segment)) return literal
  return findRoute(node.parameter, segments, at + 1)
}

/** A segment that a server would not resolve away; `%2e` is a dot too (RFC 3986 §6.2.2.2). */
function isPlain(segment: string): boolean {
  return segment !== '' && !/^(\.|%2e){1,2}$/i.test(segment)
}

function parametersOf<T>(
  route: Route<T>,
  segments: readonly string[],
): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const [index, segment] of route.segments.entries()) {
    if (segment.startsWith('{')) parameters.set(segment.slice(1, -1), segments[index] ?? '')
  }
  return parameters
}
