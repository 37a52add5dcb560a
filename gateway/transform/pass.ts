/** One document's way through the engine: the open containers, and what becomes of each item. @module */
import { Problem } from '../../base/problem.ts'
import type { Claim, ManifestEntry } from '../../evidence/record.ts'
import { publicPathOf } from '../policy/public-path.ts'
import type { Matcher } from './matcher.ts'
import { type Mark, type Output, putSpan, putText } from './output.ts'
import type { TextParts } from './parts.ts'
import { Personal } from './personal.ts'
import type { Program, Spelling } from './program.ts'
import type { Source } from './source.ts'
import { writeStep } from './step.ts'
import type { BodyTraces, Captured, Change, Links } from './transform.ts'

/** No rule selects the value. */
export const NO_RULE = -1
/** No rule drops the container, nor is it unnamed. */
export const NOT_DROPPED = -2

/** One open container; the outermost frame stands for the message around the document. */
export interface Frame {
  state: number
  /** What happens to values inside that no rule selects; in `drop` nothing inside is decided. */
  mode: 'deny' | 'keep' | 'drop'
  isArray: boolean
  /** Values met, and values that stay; an emptied container may stay. */
  count: number
  survivors: number
  /** Whether a rule let a value inside pass. */
  passes: boolean
  start: number
  /** The name's span, or the index twice, and its number among the names of the rules, or 0. */
  nameStart: number
  nameEnd: number
  symbol: number
  /** Its normalized path, made when first needed. */
  path: string | undefined
  /** Where to roll back to, name and all, unless something inside passes. */
  tentative: Mark | undefined
  /** The rule that drops it, NO_RULE when it is unnamed. */
  droppedBy: number
  /** Whether a digest stands for it in its claim, so that it need not be held. */
  digested: 'part' | 'bytes' | undefined
  /** What `count` and `survivors` were at the last cut. */
  cutCount: number
  cutSurvivors: number
}

/** Everything that is known on the way. */
export interface Pass {
  readonly program: Program
  readonly matcher: Matcher
  readonly spelling: Spelling
  /** The document, or the part of it that is at hand; and the bytes before that, for messages. */
  source: Source
  offset: number
  readonly replay: readonly Change[] | undefined
  readonly output: Output
  readonly claims: Claim[]
  readonly changes: Change[]
  isLater: boolean
  readonly captured: Map<string, Captured>
  /** For transforms that need another value of the body: answered by `waiting` after the walk. */
  links: Links | undefined
  readonly waiting: (() => void)[]
  /** By rule, of those that were met: of a thousand, most are not. */
  readonly counts: Map<number, { count: number }>
  unnamed: number
  /** Of a body that is one value, when it comes in parts and is changed. */
  parts: TextParts | undefined
  readonly frames: Frame[]
  frame: Frame
  /** The value that comes next: its state, and whether a rule spells its name out. */
  state: number
  spelled: boolean
  /** Where it starts behind the last separator; its name as in a frame. */
  lead: number
  nameStart: number
  nameEnd: number
  symbol: number
  /** Its path, when it is known already. */
  path: string | undefined
  /** Where the last bracket or value ended. */
  lastEnd: number
}

/** What tells a value among others of its container. */
export type Named = Pick<Frame, 'nameStart' | 'nameEnd' | 'symbol'>

/** What no container holds. */
export const NAMELESS: Named = { nameStart: 0, nameEnd: 0, symbol: 0 }

/** Opens a frame. */
// prettier-ignore
export function makeFrame(
  state: number, mode: Frame['mode'], isArray: boolean, start: number, { nameStart, nameEnd, symbol }: Named,
): Frame {
  return {
    state, mode, isArray, count: 0, survivors: 0, passes: false, start, nameStart, nameEnd, symbol,
    path: undefined, tentative: undefined, droppedBy: NOT_DROPPED, digested: undefined, cutCount: 0,
    cutSurvivors: 0,
  }
}

/** Puts the separator, the name and all else up to `to`, as it stands. */
export function putItem(pass: Pass, to: number, rename: string | undefined): void {
  const { frame, output, spelling, nameStart, nameEnd } = pass
  const from = frame.survivors++ === 0 ? pass.lead : pass.lastEnd
  frame.passes = true
  if (rename === undefined) putSpan(output, from, to)
  else {
    putSpan(output, from, nameStart - spelling.nameQuote)
    putText(output, spelling.writeName(rename))
    const tail = spelling.tail?.(to)
    putSpan(output, nameEnd + spelling.nameQuote, tail?.from ?? to)
    if (tail !== undefined) putText(output, tail.text)
  }
}

/** Leaves out a value that no rule names. @throws {Problem} where the policy wants a refusal. */
export function leaveUnnamed(pass: Pass, start: number, end: number, commit = claimItem): void {
  mayBeUnnamed(pass, start)
  pass.unnamed++
  commit(pass, start, end)
}

/** @throws {Problem} where the policy wants a refusal. */
export function mayBeUnnamed(pass: Pass, start: number): void {
  const { program, frames, offset } = pass
  if (program.unnamed !== 'refuse') return
  const path = pass.path ?? pathOf(pass, frames.length, pass)
  const place = publicPathOf(path, (name) => program.names.has(name))
  throw refusal(`no rule names the value at byte ${offset + start}, \`${place}\``)
}

/** Commits to a value that does not pass as it came. */
export function claimItem(pass: Pass, start: number, end: number): void {
  if (pass.program.claims === undefined) return
  claim(pass, pass.spelling.toJson(pass.source, start, end, false))
}

/** Commits to the item at hand. */
export function claim(pass: Pass, json: string): void {
  const { program, frames, claims } = pass
  if (program.claims === undefined) return
  const path = pass.path ?? pathOf(pass, frames.length, pass)
  claims.push({ name: program.claims + path, json })
}

/** The normalized path (RFC 9535 §2.7, in its short form) of a value at this level. */
export function pathOf(pass: Pass, level: number, { nameStart, nameEnd, symbol }: Named): string {
  const parent = pass.frames[level - 1]
  if (parent === undefined || level === 1) return '$'
  parent.path ??= pathOf(pass, level - 1, parent)
  if (parent.isArray) return `${parent.path}[${nameStart}]`
  if (symbol !== 0 && pass.spelling.numbersNames === undefined)
    return parent.path + (pass.matcher.names.steps[symbol] as string)
  const name = pass.spelling.readName(pass.source, nameStart, nameEnd)
  return parent.path + writeStep(name)
}

/** Hands a value to whoever asked for its path. */
export function capture(pass: Pass, state: number, type: Captured['type'], text: string): void {
  const value = new Personal(type, text)
  for (const name of pass.program.captures[pass.matcher.capture[state] as number] ?? []) {
    // Elements of XML may repeat; of two consents, nobody could say which one counts.
    if (pass.captured.has(name)) throw refusal(`what \`${name}\` is taken from stands twice`)
    pass.captured.set(name, value)
  }
}

/** What the rules did up to here. */
export function tracesOf({ program, counts, captured, unnamed }: Pass): BodyTraces {
  const manifest: ManifestEntry[] = []
  for (const [index, { count }] of [...counts].sort(([a], [b]) => a - b)) {
    const rule = program.rules[index]
    if (rule !== undefined) manifest.push({ ...rule.entry, count })
  }
  return { manifest, unnamed, captured }
}

/** What the policy does not let pass. */
export function refusal(detail: string): Problem {
  return new Problem('policy-refused', detail)
}

/** Answers for the links of a body once `waiting` is run. */
export function linksOf({ captured, waiting }: Pass): Links {
  return (name) =>
    new Promise((resolve) => {
      waiting.push(() => {
        const value = captured.get(`links.${name}`)
        resolve(value?.type === 'null' ? undefined : value?.reveal())
      })
    })
}
