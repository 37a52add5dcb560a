/** What a policy lets out on purpose. @module */
import type { Direction, Path } from '../policy/policy.ts'

/**
 * What may leave although it is personal: kind → places, each `body:<member name>`, `body:*`,
 * `query:<name>`, `header:<lower-case name>` or `path`. C3 is never allowed.
 */
export type Allowed = ReadonlyMap<string, ReadonlySet<string>>

/** What a direction's rules let out: each rule that keeps or reveals and says which kind it keeps. */
export function allowedBy(direction: Direction): Allowed {
  const allowed = new Map<string, Set<string>>()
  const isXml = direction.body?.format === 'xml'
  const places = [
    ...direction.fields.map((rule) => ({
      rule,
      place: `body:${lastName(rule.to ?? rule.path, isXml)}`,
    })),
    ...direction.query.map((rule) => ({ rule, place: `query:${lastName(rule.path)}` })),
    ...direction.headers.map((rule) => ({ rule, place: `header:${lastName(rule.path)}` })),
    ...direction.pathParameters.map((rule) => ({ rule, place: 'path' })),
  ]
  for (const { rule, place } of places) {
    const { transform } = rule.action
    if (transform !== 'keep' && transform !== 'reveal') continue
    const named = rule.action.with[transform]
    const kind =
      rule.kind ?? (transform === 'reveal' && typeof named === 'string' ? named : undefined)
    if (kind !== undefined) allowed.set(kind, (allowed.get(kind) ?? new Set()).add(place))
  }
  return allowed
}

function withoutPrefix(name: string): string {
  return name.replace(/^(@?)[^:]*:/, '$1')
}

function lastName(path: Path, isXml = false): string {
  for (const segment of path.toReversed()) {
    const step = segment.step === 'descendant' ? segment.of : segment
    // Text beside attributes of XML goes by its element, and prefixes are the document's.
    if (step.step === 'name' && step.name !== '#text')
      return isXml ? withoutPrefix(step.name) : step.name
    if (step.step === 'name') continue
    if (step.step !== 'index') return '*'
  }
  return '*'
}
