/** Reads `request` and `response`: which rule does what to which value. Pure. @module */
import { nearestName, type Report, suggest } from '../../base/diagnostic.ts'
import {
  booleanOf,
  describe,
  oneOf,
  openMap,
  readEntries,
  type Reader,
  textOf,
} from '../../base/shape.ts'
import type { YamlMap, YamlNode, YamlScalar } from '../../base/yaml.ts'
import type { PartyConfig } from '../config.ts'
import { numbered } from './mistakes.ts'
import type { BodyDialect } from './body.ts'
import { checkRules, readBody } from './parse-body.ts'
import { formatPath, parsePath } from './path.ts'
import type { Action, ActionParameter, Direction, Path, Rule } from './policy.ts'

/** The names that a policy may use. */
export interface Known {
  readonly transforms: ReadonlySet<string>
  /** Names of the kinds dictionary; any name passes when it is not at hand. */
  readonly kinds?: ReadonlySet<string>
  /** The parties of sealgate.yaml; any party id passes when they are not at hand. */
  readonly parties?: readonly PartyConfig[]
}

/** Counts rules over both directions. */
interface Numbering {
  next: number
}

type Section = 'headers' | 'query' | 'path' | 'fields'
const PREFIX = { headers: 'header:', query: 'query:', path: 'path:', fields: '' } as const

/** Reads one direction. `routePath` holds the `{names}` that `path` rules may name. */
export function readDirection(
  name: string,
  routePath: string,
  known: Known,
  numbering: Numbering,
): Reader<Direction> {
  return (node, report) => {
    const fields = openMap(node, report, `\`${name}\``)
    const unnamed = fields.take(
      'unnamed',
      oneOf('a way to treat unnamed fields', ['drop', 'refuse']),
    )
    const envelope = fields.take('envelope', readEnvelope)
    const buffered = fields.take('buffered', booleanOf('`buffered`'))
    const body = fields.take('body', readBody)
    const rules: Record<Section, readonly Rule[]> = { headers: [], query: [], path: [], fields: [] }
    const sections = new Set<string>(SECTIONS)
    // In file order, so that rules are numbered as the officer reads them.
    for (const section of fields.map.entries.keys()) {
      if (!sections.has(section)) continue
      const read = readSection(section as Section, known, numbering, body)
      rules[section as Section] = fields.need(section, read)
    }
    for (const section of SECTIONS) fields.take(section, () => undefined)
    fields.close()
    const parameters = new Set(
      [...routePath.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? ''),
    )
    for (const rule of rules.path) {
      const parameter = rule.text.slice(PREFIX.path.length)
      if (parameters.has(parameter)) continue
      report.error(
        rule.at,
        `the route has no \`{${parameter}}\``,
        'name a `{segment}` of `when.path`',
      )
    }
    if (body !== undefined) checkRules(body, rules.fields, report)
    return {
      ...(body === undefined ? {} : { body }),
      unnamed: unnamed ?? 'drop',
      ...(envelope === undefined ? {} : { envelope }),
      ...(buffered === undefined ? {} : { buffered }),
      headers: rules.headers,
      query: rules.query,
      pathParameters: rules.path,
      fields: rules.fields,
    }
  }
}

const readEnvelope: Reader<NonNullable<Direction['envelope']>> = (node, report) => {
  const fields = openMap(node, report, '`envelope`')
  const open = fields.take('open', textOf('an envelope id'))
  const seal = fields.take('seal', textOf('an envelope id'))
  fields.close()
  if (open === undefined && seal === undefined)
    report.error(node.at, 'neither `open` nor `seal` stands here', 'write `envelope: { open: … }`')
  return {
    at: node.at,
    ...(open === undefined ? {} : { open }),
    ...(seal === undefined ? {} : { seal }),
  }
}

const SECTIONS = ['headers', 'query', 'path', 'fields'] as const

function readSection(
  section: Section,
  known: Known,
  numbering: Numbering,
  body: BodyDialect | undefined,
): Reader<readonly Rule[]> {
  return (node, report) => {
    if (section === 'headers' && node.node === 'list')
      return readHeaderList(node.items, report, numbering)
    const rules: Rule[] = []
    for (const [name, { key, value }] of readEntries(node, report, `\`${section}\``)) {
      const { at } = key
      const target =
        section === 'fields'
          ? fieldTarget(key, report, body)
          : nameTarget(section, name, at, report)
      const action = readAction(value, report, known)
      if (target === undefined) continue
      const earlier = rules.find(({ text }) => text === target.text)
      if (earlier !== undefined) {
        const help = `delete one; ${earlier.id} on line ${earlier.at.line} names it too`
        report.error(at, `\`${target.text}\` has two rules`, help, 'P006')
      }
      rules.push({ id: `R${numbering.next++}`, ...target, ...action, at })
    }
    return rules
  }
}

type Target = Pick<Rule, 'text' | 'path'>

function nameTarget(section: Section, name: string, at: Rule['at'], report: Report): Target {
  const spelled = section === 'headers' ? name.toLowerCase() : name
  // RFC 9110 §5.6.2: a header name is a token.
  if (section === 'headers' && !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    report.error(at, `\`${name}\` is not a header name`, 'use letters, digits and `-`')
  }
  return { text: PREFIX[section] + spelled, path: [{ step: 'name', name: spelled }] }
}

function readHeaderList(items: readonly YamlNode[], report: Report, numbering: Numbering): Rule[] {
  return items.map((item) => {
    const name = textOf('a header name')(item, report)
    const target = nameTarget('headers', name === '' ? 'x' : name, item.at, report)
    return {
      id: `R${numbering.next++}`,
      ...target,
      action: { transform: 'keep', with: {} },
      at: item.at,
    }
  })
}

function fieldTarget(
  key: YamlScalar,
  report: Report,
  body: BodyDialect | undefined,
): Target | undefined {
  const path = readPath(key, report)
  const isWhole = body?.format === 'text' || body?.format === 'binary'
  if (isWhole && key.text === '$') return { text: '$', path }
  if (path.length === 0 && key.text === '$') {
    report.error(key.at, '`$` names the whole body', 'name its fields', 'P003')
  }
  return path.length === 0 ? undefined : { text: formatPath(path), path }
}

/** Reads a path that stands as a key or a value. */
export const readPath: Reader<Path> = (node, whole) => {
  const report = numbered(whole, 'P003')
  const text = textOf('a path', undefined, 'write `$.name`')(node, report)
  if (node.node !== 'scalar' || text === '') return []
  const parsed = parsePath(text)
  if (!('message' in parsed)) return parsed.path
  const column = node.at.column + parsed.offset + (node.isQuoted ? 1 : 0)
  report.error({ ...node.at, column, length: 1 }, parsed.message, parsed.help)
  return []
}

type ReadAction = Pick<Rule, 'action' | 'kind' | 'to' | 'reason'>

function readAction(node: YamlNode, whole: Report, known: Known): ReadAction {
  const report = numbered(whole, 'P004')
  if (node.node === 'map') return readActionMap(node, report, known)
  const transform = node.node === 'scalar' && typeof node.value === 'string' ? node.value : ''
  if (!known.transforms.has(transform)) {
    const message =
      transform === ''
        ? `a rule must say what is done, not ${describe(node)}`
        : `there is no transform \`${transform}\``
    report.error(node.at, message, suggest(transform, known.transforms))
  }
  return { action: { transform, with: {} } }
}

/** Keys of a rule that are not parameters of its transform. */
const RULE_KEYS = new Set(['kind', 'to', 'reason'])

function readActionMap(node: YamlMap, report: Report, known: Known): ReadAction {
  const named = [...node.entries.keys()].filter((key) => known.transforms.has(key))
  const [transform] = named
  if (transform === undefined) {
    const strays = [...node.entries].filter(([key]) => !RULE_KEYS.has(key))
    // The key that is nearest to a transform is most likely the mistyped one.
    const stray = strays.find(([key]) => nearestName(key, known.transforms)) ?? strays[0]
    if (stray === undefined) {
      report.error(node.at, 'the rule does not say what is done', 'add `keep`, `drop`, `mask`, …')
    } else {
      const help = suggest(stray[0], known.transforms)
      report.error(stray[1].key.at, `there is no transform \`${stray[0]}\``, help)
    }
  } else if (named.length > 1) {
    const second = node.entries.get(named[1] ?? '')
    const help = `keep one of ${named.map((name) => `\`${name}\``).join(', ')}`
    report.error(second?.key.at ?? node.at, 'the rule names more than one transform', help)
  }
  const part = <T>(name: string, read: Reader<T>): T | undefined => {
    const entry = node.entries.get(name)
    return entry === undefined ? undefined : read(entry.value, report)
  }
  const kind = part('kind', kindOf(known))
  const to = part('to', readPath)
  const reason = part('reason', textOf('a reason'))
  return {
    action: readParameters(transform ?? '', node),
    ...(kind === undefined ? {} : { kind }),
    ...(to === undefined ? {} : { to }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function kindOf({ kinds }: Known): Reader<string> {
  return (node, report) => {
    const kind = textOf(
      'a kind',
      /^[a-z][a-z0-9-]*$/,
      'use lower-case letters, digits and `-`',
    )(node, report)
    if (kind !== '' && kinds !== undefined && !kinds.has(kind)) {
      report.error(node.at, `there is no kind \`${kind}\``, suggest(kind, kinds), 'P005')
    }
    return kind
  }
}

function readParameters(transform: string, node: YamlMap): Action {
  const parameters = [...node.entries]
    .map(([key, { value }]) => [key, toParameter(value)] as const)
    // `{ keep: , reason: … }` says no more of `keep` than `keep` does.
    .filter(([key, value]) => !RULE_KEYS.has(key) && !(key === transform && value === null))
  return { transform, with: Object.fromEntries(parameters) }
}

function toParameter(node: YamlNode): ActionParameter {
  if (node.node === 'scalar') return node.value
  if (node.node === 'list') return node.items.map(toParameter)
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toParameter(value)]))
}
