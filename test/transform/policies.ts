/** Small policies for the tests of the engine, written as a map of paths to actions. @module */
import { type CompiledRoute, compileRoute } from '../../gateway/transform/compile.ts'
import type { Transform, TransformTable } from '../../gateway/transform/transform.ts'
import type { Path, Policy, Rule, Segment } from '../../gateway/policy/policy.ts'

const answer = (transform: Transform) => () => transform

/** keep, drop, a constant, a change that shows its input, and the rarer answers. */
export const TABLE: TransformTable = new Map([
  ['keep', answer(() => ({ change: 'keep' }))],
  ['drop', answer(() => ({ change: 'drop' }))],
  ['constant', answer(() => ({ change: 'json', json: '0' }))],
  ['length', answer((value) => ({ change: 'text', text: `#${value.reveal().length}` }))],
  ['echo', answer((value) => ({ change: 'text', text: value.reveal() }))],
  ['refuse', answer(() => ({ change: 'refuse', why: 'not today' }))],
  [
    'later',
    answer(() => ({ change: 'later', result: Promise.resolve({ change: 'text', text: 'late' }) })),
  ],
  ['later-drop', answer(() => ({ change: 'later', result: Promise.resolve({ change: 'drop' }) }))],
  [
    'linked',
    answer((_, links) => ({
      change: 'later',
      result: Promise.resolve(links?.('id')).then((id) =>
        id === undefined ? { change: 'refuse', why: 'no link' } : { change: 'text', text: id },
      ),
    })),
  ],
])

/** Reads `$.name`, `['name']`, `[0]`, `[*]`, `.*`, `..name`, `..*`. */
export function path(text: string): Path {
  const segments: Segment[] = []
  const step = /\.\.(?=[\w*])|\.|\[(\d+)\]|\[(\*)\]|\['([^']*)'\]|(\*)|([\p{L}_][\p{L}\w]*)/uy
  step.lastIndex = 1
  let descendant = false
  for (let match = step.exec(text); match !== null; match = step.exec(text)) {
    const [whole, index, any, quoted, star, name] = match
    if (whole === '.' || whole === '..') {
      descendant = whole === '..'
      continue
    }
    const of: Segment =
      any !== undefined || star !== undefined
        ? { step: 'wildcard' }
        : index !== undefined
          ? { step: 'index', index: Number(index) }
          : { step: 'name', name: quoted ?? name ?? '' }
    segments.push(descendant ? { step: 'descendant', of } : of)
    descendant = false
  }
  return segments
}

/** `keep`, or `length > $.other` for a `to`. */
export function rules(fields: Readonly<Record<string, string>>): Rule[] {
  return Object.entries(fields).map(([text, action], index) => {
    const [transform = '', to] = action.split(' > ')
    const at = { file: 'test.yaml', line: index + 1, column: 1 }
    const base = {
      id: `R${index + 1}`,
      text,
      path: path(text),
      action: { transform, with: {} },
      at,
    }
    return to === undefined ? base : { ...base, to: path(to) }
  })
}

interface Sketch {
  readonly fields?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly parameters?: Readonly<Record<string, string>>
  readonly path?: string
  readonly links?: Readonly<Record<string, string>>
  readonly consent?: string
  readonly unnamed?: 'drop' | 'refuse'
}

/** A policy whose request says what the sketch says. */
export function policy(sketch: Sketch): Policy {
  const { unnamed = 'drop', links = {}, consent } = sketch
  const none = { unnamed, headers: [], query: [], pathParameters: [], fields: [] }
  return {
    id: 'test',
    version: 1,
    title: { zh: '测试', en: 'Test' },
    from: 'sunrise-platform',
    to: 'harbour-bank',
    when: { method: 'POST', path: sketch.path ?? '/test' },
    purpose: 'test',
    legal: { basis: 'contract', ...(consent === undefined ? {} : { consent: path(consent) }) },
    evidence: {
      links: new Map(Object.entries(links).map(([name, text]) => [name, path(text)])),
      custody: 'none',
      retain: '5y',
    },
    mode: 'enforce',
    request: {
      unnamed,
      headers: rules(sketch.headers ?? {}),
      query: rules(sketch.query ?? {}),
      pathParameters: rules(sketch.parameters ?? {}),
      fields: rules(sketch.fields ?? {}),
    },
    response: { ...none, fields: rules(sketch.fields ?? {}) },
    tests: [],
    digest: 'sha256:00',
    source: { file: 'test.yaml', text: '' },
  }
}

/** Compiles a sketch; `complaints` are `line: message`. */
export function compile(
  sketch: Sketch,
  table: TransformTable = TABLE,
): { route: CompiledRoute; complaints: string[] } {
  const complaints: string[] = []
  const route = compileRoute(policy(sketch), table, (at, message) =>
    complaints.push(`${at.line}: ${message}`),
  )
  return { route, complaints }
}
