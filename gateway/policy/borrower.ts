/** A made-up borrower, placed wherever a policy's rules expect personal data. Pure. @module */
import { type Location, OTHER_NAME, representative } from './decide.ts'
import type { Direction, Rule } from './policy.ts'

/** Synthetic values that pass the checks of their kinds. */
const BORROWER: ReadonlyMap<string, string> = new Map([
  ['name', '欧阳试点'],
  ['resident-id', '11010519491231002X'],
  ['mobile', '13800138000'],
  ['bank-card', '6217000012345678907'],
  ['email', 'canary.borrower@example.com'],
  ['address', '北京市海淀区试点路27号院3号楼2单元501室'],
])
const CLEAR: ReadonlySet<string> = new Set(['keep', 'monitor', 'reveal'])
/** A member that no rule names: all of the borrower stands in it too. */
const UNNAMED = 'canaryBorrower'

/** A body, and the values of it that may not leave as they are. */
export interface PlacedBorrower {
  readonly body: string
  readonly secrets: readonly string[]
}

/** Writes a body for one direction of a policy. A kind that some rule lets out in clear is no secret. */
export function placeBorrower({ fields, unnamed }: Direction): PlacedBorrower {
  const isClear = ({ action }: Rule) => CLEAR.has(action.transform)
  const clear = new Set(fields.filter(isClear).map(({ kind }) => kind))
  const placed = fields.flatMap(({ path, kind = '' }) => {
    const value = BORROWER.get(kind)
    return value === undefined ? [] : [{ location: representative(path), value }]
  })
  const isList = fields.some(
    ({ path }) => path[0]?.step === 'wildcard' || path[0]?.step === 'index',
  )
  const body: Container = isList ? [] : {}
  for (const { location, value } of placed) place(body, location, value)
  if (!Array.isArray(body) && unnamed === 'drop') body[UNNAMED] = Object.fromEntries(BORROWER)
  const secrets = [...BORROWER].filter(([kind]) => !clear.has(kind)).map(([, value]) => value)
  return { body: JSON.stringify(body), secrets }
}

type Container = Json[] | { [name: string]: Json }
type Json = string | Container

/** Leaves out a place inside one that holds a value already. */
function place(container: Container, [step, ...rest]: Location, value: string): void {
  if (step === undefined) return
  const isIndex = typeof step === 'number'
  if (isIndex !== Array.isArray(container)) return
  // Any name and any index will do for a wildcard.
  const key = isIndex ? String(Math.max(0, step)) : step === OTHER_NAME ? 'any' : step
  const members = container as Record<string, Json>
  if (rest.length === 0) {
    members[key] ??= value
    return
  }
  const inner = members[key] ?? (typeof rest[0] === 'number' ? [] : {})
  members[key] = inner
  if (typeof inner === 'object') place(inner, rest, value)
}
