/** What becomes of a column of a table, whatever stands in it: all rows must stay alike. @module */
import { ROOT } from '../matcher.ts'
import type { BoundRule, Program } from '../program.ts'

/** A column's fate: it goes with its name, or stays, perhaps under another name. */
export interface ColumnFate {
  readonly stays: boolean
  readonly rename: string | undefined
}

/** @param under the names of the members that the rows stand under. */
export function fateOf(program: Program, under: readonly string[], column: string): ColumnFate {
  const { matcher } = program
  let state = ROOT
  const member = (name: string): number =>
    matcher.memberNext[state * matcher.memberWidth + (matcher.names.symbols.get(name) ?? 0)] ?? 0
  const ruleHere = () => program.rules[matcher.rule[state] ?? -1]
  let mode: BoundRule['verb'] | undefined = ruleHere()?.verb
  const enter = (next: number): void => {
    state = next
    if (mode !== 'drop') mode = ruleHere()?.verb ?? mode
  }
  for (const name of under) enter(member(name))
  enter(matcher.elementNext[state * matcher.elementWidth] ?? 0)
  if (mode === 'drop') return { stays: false, rename: undefined }
  state = member(column)
  const rule = ruleHere()
  if (rule === undefined) return { stays: mode === 'keep', rename: undefined }
  return { stays: rule.verb === 'keep' || rule.verb === 'scalar', rename: rule.to }
}
