/** Enters the next value: one step of the automaton, by its name, its column or its index. @module */
import { symbolOf } from './matcher.ts'
import type { Pass } from './pass.ts'

/** The member of an object whose name stands from `start` to `end`; see JsonSink. */
// prettier-ignore
export function enterMember(pass: Pass, lead: number, hash: number, start: number, end: number, text: string | undefined): void {
  const { names } = pass.matcher
  const symbol =
    text === undefined
      ? symbolOf(names, hash, pass.source.bytes, start, end)
      : (names.symbols.get(text) ?? 0)
  take(pass, symbol)
  pass.lead = lead
  pass.nameStart = start
  pass.nameEnd = end
}

/** A cell at `start`, of the column that has this number among the names of the rules. */
export function enterColumn(pass: Pass, start: number, symbol: number): void {
  take(pass, symbol)
  pass.lead = start
  pass.nameStart = start
  pass.nameEnd = start
}

function take(pass: Pass, symbol: number): void {
  const { matcher, frame } = pass
  const step = frame.state * matcher.memberWidth + symbol
  pass.state = matcher.memberNext[step] as number
  pass.spelled = matcher.spelled[step] === 1
  pass.path = undefined
  pass.symbol = symbol
  frame.count++
}

/** An element of an array. */
export function enterElement(pass: Pass, lead: number): void {
  const { matcher, frame } = pass
  const index = frame.count++
  const symbol = matcher.elementWidth === 1 ? 0 : (matcher.indexes.get(index) ?? 0)
  pass.state = matcher.elementNext[frame.state * matcher.elementWidth + symbol] as number
  // An index tells nothing about anybody.
  pass.spelled = true
  pass.lead = lead
  pass.symbol = 0
  pass.nameStart = index
  pass.nameEnd = index
  pass.path = undefined
}
