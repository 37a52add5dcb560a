/** Tells an officer what a policy does, rule by rule or value by value of a sample. Pure. @module */
import { columnsOf } from '../../base/diagnostic.ts'
import { Problem } from '../../base/problem.ts'
import { readTree } from '../transform/tree.ts'
import { describeBody } from './body.ts'
import { decide, leavesOf, type Location } from './decide.ts'
import { describeAction } from './form.ts'
import { formatPath } from './path.ts'
import { sampleFormat } from './sample.ts'
import type { Direction, Path, Policy, Rule } from './policy.ts'

/** One line of an explanation; `rule` is the line of the policy that decides. */
export interface Explained {
  readonly what: string
  readonly happens: string
  readonly rule?: Rule
}

/** Every rule of one direction in file order, and what becomes of everything else. */
export function explainRules(direction: Direction): readonly Explained[] {
  const { headers, query, pathParameters, fields, unnamed } = direction
  const rules = [...headers, ...query, ...pathParameters, ...fields].toSorted(byPlace)
  const { body } = direction
  const parts = body === undefined ? [] : describeBody(body)
  const written = parts.map((happens, index) => ({ what: index === 0 ? 'body' : '', happens }))
  return [
    ...written,
    ...rules.map((rule) => ({ what: rule.text, happens: phrase(rule), rule })),
    { what: 'everything else', happens: unnamed === 'drop' ? 'dropped' : 'the message is refused' },
  ]
}

/** Every value of a sample body, in its order; nothing when the sample cannot be read. */
export function explainSample(
  direction: Direction,
  sample: Uint8Array,
): readonly Explained[] | undefined {
  try {
    const tree = readTree(sample, sampleFormat(sample, direction.body))
    return leavesOf(tree).map((location) => explainValue(direction, location))
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** The lines as an aligned table; positions name file and line. */
export function renderExplained(lines: readonly Explained[]): string {
  const width = (of: (line: Explained) => string) =>
    Math.max(...lines.map((line) => columnsOf(of(line))))
  const pad = (text: string, columns: number) => text + ' '.repeat(columns - columnsOf(text))
  const [whatWidth, happensWidth] = [width(({ what }) => what), width(({ happens }) => happens)]
  return lines
    .map(({ what, happens, rule }) => {
      const place = rule === undefined ? '' : `${rule.id.padEnd(4)} ${rule.at.file}:${rule.at.line}`
      return `  ${pad(what, whatWidth)}  ${pad(happens, happensWidth)}  ${place}`.trimEnd() + '\n'
    })
    .join('')
}

/** The headline: who sends what to whom, on which ground. */
export function explainFrame({
  id,
  version,
  title,
  from,
  to,
  when,
  purpose,
  legal,
  request,
  response,
}: Policy): string {
  const pia = legal.pia === undefined ? '' : `, assessed in ${legal.pia.id} of ${legal.pia.date}`
  return [
    `${title.zh} ${title.en} (${id}, version ${version})`,
    `${from} → ${to}: ${when.method} ${when.path}`,
    `purpose ${purpose}, basis ${legal.basis}${pia}`,
    ...explainEnvelope('request', request),
    ...explainEnvelope('response', response),
  ].join('\n')
}

function explainEnvelope(side: string, { envelope }: Direction): readonly string[] {
  if (envelope === undefined) return []
  const [open, seal] = [envelope.open ?? 'no envelope', envelope.seal ?? 'no envelope']
  return [`${side} comes in ${open}, goes out in ${seal}`]
}

function explainValue(direction: Direction, location: Location): Explained {
  const what = formatPath(pathOf(location))
  const decision = decide(direction.fields, location)
  if (decision === undefined) {
    const happens =
      direction.unnamed === 'drop' ? 'dropped: no rule names it' : 'refused: no rule names it'
    return { what, happens }
  }
  const { rule, through } = decision
  if (through === location.length) return { what, happens: phrase(rule), rule }
  const around = formatPath(pathOf(location.slice(0, through)))
  const isWhole = rule.action.transform === 'keep' || rule.action.transform === 'drop'
  const happens = isWhole
    ? `${phrase(rule)}, as a part of ${around}`
    : `refused: the rule changes ${around} as one value, and it is not one`
  return { what, happens, rule }
}

function phrase(rule: Rule): string {
  const to = rule.to === undefined ? '' : ` → ${formatPath(rule.to)}`
  const reason = rule.reason === undefined ? '' : `: ${rule.reason}`
  return describeAction(rule) + to + reason
}

function pathOf(location: Location): Path {
  return location.map((step) =>
    typeof step === 'number' ? { step: 'index', index: step } : { step: 'name', name: step },
  )
}

function byPlace(a: Rule, b: Rule): number {
  return a.at.line - b.at.line || a.at.column - b.at.column
}
