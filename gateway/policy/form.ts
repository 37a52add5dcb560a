/** In which form a rule lets a value through, and which forms disclose more. Pure. @module */
import type { ActionParameter, Rule } from './policy.ts'

/** From what discloses nothing to what discloses all. */
const FORMS = ['nothing', 'constant', 'token', 'generalised', 'partial', 'clear'] as const
export type Form = (typeof FORMS)[number]

// prettier-ignore
const BY_TRANSFORM: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['drop', 'nothing'],        ['refuse', 'nothing'],     ['constant', 'constant'],
  ['tokenize', 'token'],      ['pseudonymise', 'token'], ['encrypt', 'token'],  // `encrypt: recipient` below
  ['translate', 'token'],     ['attest', 'token'],       ['generalise', 'generalised'],
  ['date-shift', 'generalised'], ['mask', 'partial'],    ['redact', 'partial'],
  ['legacy-hash', 'partial'], ['keep', 'clear'],         ['monitor', 'clear'],
  ['reveal', 'clear'],
])

/** A transform that this table does not know counts as clear: a mistake then asks for a second look. */
export function formOf(rule: Rule | undefined): Form {
  if (rule === undefined) return 'nothing'
  const { transform, with: parameters } = rule.action
  // On the wire it is a cipher text; the recipient reads all of it.
  if (transform === 'encrypt' && parameters['encrypt'] === 'recipient') return 'clear'
  return BY_TRANSFORM.get(transform) ?? 'clear'
}

/** Positive when `a` discloses more than `b`. */
export function compareForms(a: Form, b: Form): number {
  return FORMS.indexOf(a) - FORMS.indexOf(b)
}

/** The action as an officer reads it: `mask: surname`, `tokenize: opaque`, `keep`. */
export function describeAction(rule: Rule | undefined): string {
  if (rule === undefined) return 'nothing'
  const { transform, with: parameters } = rule.action
  const rest = Object.entries(parameters)
    .map(([name, value]) => (name === transform ? spell(value) : `${name} ${spell(value)}`))
    .join(', ')
  const kind = rule.kind === undefined ? '' : ` (${rule.kind})`
  return (rest === '' ? transform : `${transform}: ${rest}`) + kind
}

function spell(value: ActionParameter): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
