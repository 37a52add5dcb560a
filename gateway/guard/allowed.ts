/** What a policy lets out on purpose. @module */
import type { Direction, Path, Rule } from '../policy/policy.ts'

/**
 * What may leave although it is personal: kind → places, each `body:<member name>`, `body:*`,
 * `query:<name>`, `header:<lower-case name>` or `path`. C3 is never allowed. The kind `ENCRYPTED` stands for
 * no value of any kind, but for what `encrypt` writes.
 */
export type Allowed = ReadonlyMap<string, ReadonlySet<string>>

/** No kind is called so: the places where a compact JWE is expected. */
export const ENCRYPTED = '(encrypted)'

/** Whether something of a kind may stand there. `owner`: the member, parameter or header that holds it. */
export function isAllowed(
  allowed: Allowed,
  kind: string,
  where: 'body' | 'query' | 'header' | 'path',
  owner: string,
): boolean {
  const places = allowed.get(kind)
  if (places === undefined) return false
  if (where === 'body' && places.has('body:*')) return true
  return places.has(where === 'path' ? 'path' : `${where}:${owner}`)
}

/** What a direction's rules let out: what they keep or reveal and say the kind of, and what they encrypt. */
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
    const kind = kindLetOut(rule)
    if (kind !== undefined) allowed.set(kind, (allowed.get(kind) ?? new Set()).add(place))
  }
  return allowed
}

function kindLetOut({ kind, action }: Rule): string | undefined {
  const { transform } = action
  const named = action.with[transform]
  if (transform === 'keep') return kind
  if (transform === 'encrypt') {
    const parameters = typeof named === 'object' ? Object.entries(named ?? {}).flat() : [named]
    const isForRecipient = [...parameters, action.with['for']].includes('recipient')
    return isForRecipient ? ENCRYPTED : undefined
  }
  if (transform !== 'reveal') return undefined
  return kind ?? (typeof named === 'string' ? named : undefined)
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
