/**
 * The engine: takes one document's events from a codec, decides each value by the automaton, and
 * puts spans of the input and replacements into the output. It never holds an object tree. @module
 */
import type { ScalarType } from '../../base/json-token.ts'
import { Problem } from '../../base/problem.ts'
import { insertText, omitSpan, putLiteral, skipSpan } from './between.ts'
import type { BodySink } from './codec/codec.ts'
import { enterColumn, enterElement, enterMember } from './enter.ts'
import { NOWHERE, ROOT } from './matcher.ts'
import { assemble, mark, putSpan, putText, rollBack, startOutput, type Written } from './output.ts'
import {
  capture,
  claim,
  claimItem,
  type Frame,
  leaveUnnamed,
  linksOf,
  makeFrame,
  mayBeUnnamed,
  NAMELESS,
  NO_RULE,
  NOT_DROPPED,
  type Pass,
  putItem,
  refusal,
  tracesOf,
} from './pass.ts'
import { onPart } from './parts.ts'
import { Personal } from './personal.ts'
import type { BoundRule, Program, Spelling } from './program.ts'
import { cutHere, type Released, release } from './release.ts'
import { makeSource } from './source.ts'
import { settle } from './later.ts'
import type { BodyTraces, Change, Rewritten, Scalar } from './transform.ts'

/** One document on its way through. */
export interface Rewriter extends BodySink {
  /** Whether some transform answered `later`. */
  readonly isLater: () => boolean
  /** Every answer of a transform, once the body was walked and what was `later` is there: to be replayed. */
  settle(): Promise<readonly Change[]>
  /** Wants to know where a part that ends at `end` ends in what is given out; see release.ts. */
  cut(end: number): boolean
  /** Gives out what is decided; see release.ts. */
  release(consumed: number): Released
  /** Goes on in the next part of the document. */
  resume(bytes: Buffer): void
  /** What the rules did so far. */
  traces(): BodyTraces
  finish(): Rewritten & Written
}

/**
 * Starts a document.
 *
 * @param replay what the transforms answered in an earlier run over the same bytes.
 */
export function startRewrite(
  program: Program,
  spelling: Spelling,
  bytes: Buffer,
  replay?: readonly Change[],
): Rewriter {
  const message = makeFrame(NOWHERE, 'deny', false, 0, NAMELESS)
  // prettier-ignore
  const pass: Pass = {
    program, matcher: program.matcher, spelling, source: makeSource(bytes), offset: 0, replay,
    output: startOutput(spelling.tokenQuote), claims: [], changes: [], isLater: false, captured: new Map(),
    links: undefined, waiting: [], counts: new Map(), unnamed: 0, parts: undefined, frames: [message], frame: message,
    state: ROOT, spelled: true, lead: 0, ...NAMELESS, path: undefined, lastEnd: 0,
  }
  return {
    member: (lead, hash, start, end, text) => enterMember(pass, lead, hash, start, end, text),
    column: (start, symbol) => enterColumn(pass, start, symbol),
    element: (lead) => enterElement(pass, lead),
    scalar: (type, start, end) => onScalar(pass, type, start, end),
    part: (start, end, last) => onPart(pass, start, end, last),
    open: (isArray, start, digested) => onOpen(pass, isArray, start, digested),
    close: (end, digest) => onClose(pass, end, digest),
    literal: (start, end) => putLiteral(pass, start, end),
    insert: (text) => insertText(pass, text),
    skip: (start, end) => skipSpan(pass, start, end),
    omit: (start, end) => omitSpan(pass, start, end),
    isLater: () => pass.isLater,
    settle: () => {
      for (const answer of pass.waiting) answer()
      return Promise.all(pass.changes.map(settle))
    },
    cut: (end) => cutHere(pass, end),
    release: (consumed) => release(pass, consumed),
    resume: (next) => {
      pass.source = makeSource(next)
    },
    traces: () => tracesOf(pass),
    finish: () => finish(pass),
  }
}

function onScalar(pass: Pass, type: ScalarType, start: number, end: number): void {
  const { matcher, frame, state } = pass
  if (matcher.capture[state] !== NO_RULE) {
    capture(pass, state, type, pass.spelling.readScalar(pass.source, type, start, end))
  }
  if (frame.mode !== 'drop') {
    const { survivors } = frame
    const rule = matcher.rule[state] as number
    if (rule !== NO_RULE) applyRule(pass, rule, type, start, end)
    else if (frame.mode === 'keep') putItem(pass, end, undefined)
    else leaveUnnamed(pass, start, end)
    // In a row without names the place says what a value is: an empty one stays in its place.
    const placeholder = pass.spelling.placeholder?.()
    if (placeholder !== undefined && frame.survivors === survivors) {
      putItem(pass, start, undefined)
      putText(pass.output, placeholder)
    }
  }
  pass.lastEnd = end
}

function applyRule(pass: Pass, index: number, type: ScalarType, start: number, end: number): void {
  const rule = pass.program.rules[index] as BoundRule
  if (rule.verb === 'reserved') {
    leaveUnnamed(pass, start, end)
    return
  }
  countRule(pass, index)
  if (rule.verb === 'keep') putItem(pass, end, rule.to)
  else if (rule.verb === 'drop') claimItem(pass, start, end)
  else transformScalar(pass, rule, type, start, end)
}

function countRule({ counts }: Pass, index: number): void {
  const counter = counts.get(index)
  if (counter === undefined) counts.set(index, { count: 1 })
  else counter.count++
}

function ask(pass: Pass, rule: BoundRule, value: Scalar): Change {
  pass.links ??= linksOf(pass)
  return rule.transform(value, pass.links)
}

// prettier-ignore
function transformScalar(pass: Pass, rule: BoundRule, type: ScalarType, start: number, end: number): void {
  const { spelling, changes, replay } = pass
  const change =
    replay?.[changes.length] ??
    ask(pass, rule, new Personal(type, spelling.readScalar(pass.source, type, start, end)))
  changes.push(change)
  if (change.change === 'refuse') {
    throw new Problem('value-unsuitable', `\`${rule.text}\`: ${change.why}`)
  }
  if (change.change === 'keep') {
    putItem(pass, end, rule.to)
    return
  }
  claimItem(pass, start, end)
  // A run with a `later` in it is thrown away and replayed.
  if (change.change === 'later') pass.isLater = true
  if (change.change === 'drop' || change.change === 'later') return
  putItem(pass, start, rule.to)
  if (change.change === 'json') putText(pass.output, spelling.writeJson(change.json))
  else if (change.change === 'text') putText(pass.output, spelling.writeText(change.text))
  else if (spelling.tokenQuote === undefined) putText(pass.output, spelling.writeText(change.text()))
  else putText(pass.output, change.text)
}

// prettier-ignore
function onOpen(pass: Pass, isArray: boolean, start: number, digested?: Frame['digested']): boolean {
  const { matcher, state, frame: outer, output, spelled } = pass
  const rule = matcher.rule[state] as number
  const decided = decideContainer(pass, rule, start)
  // Nothing inside of bytes can be let pass by a rule of its own.
  const mode = decided === 'deny' && digested === 'bytes' ? 'drop' : decided
  const tentative = mode === 'deny' && !spelled ? mark(output) : undefined
  const passes = outer.passes
  if (mode !== 'drop') putItem(pass, start + 1, ruleAt(pass, rule)?.to)
  if (mode === 'deny') outer.passes = passes
  const frame = makeFrame(state, mode, isArray, start, pass)
  frame.tentative = tentative
  frame.digested = digested
  if (mode === 'drop' && outer.mode !== 'drop') {
    // Before all of it has come, for it may be long.
    if (ruleAt(pass, rule)?.verb !== 'drop') mayBeUnnamed(pass, start)
    frame.droppedBy = rule
  }
  pass.frames.push(frame)
  pass.frame = frame
  pass.lastEnd = start + 1
  return mode === 'deny' || matcher.deeper[state] === 1
}

function ruleAt({ program }: Pass, index: number): BoundRule | undefined {
  // Asked for an index below zero, an array is looked through for a property of that name.
  return index === NO_RULE ? undefined : program.rules[index]
}

/** @returns the mode of the container's inside. */
function decideContainer(pass: Pass, index: number, at: number): Frame['mode'] {
  const { frame, matcher, state } = pass
  if (frame.mode === 'drop') return 'drop'
  const rule = ruleAt(pass, index)
  if (rule === undefined) {
    if (frame.mode === 'keep') return 'keep'
    // The document itself always stays a container.
    return pass.frames.length === 1 || matcher.reaches[state] === 1 ? 'deny' : 'drop'
  }
  if (rule.verb === 'reserved') return 'drop'
  if (rule.verb === 'scalar') {
    const place = `at byte ${pass.offset + at}`
    throw refusal(`\`${rule.text}\` takes a single value, received a container ${place}`)
  }
  countRule(pass, index)
  return rule.verb
}

function onClose(pass: Pass, end: number, digest: string | undefined): void {
  const { frame, matcher, frames } = pass
  if (matcher.capture[frame.state] !== NO_RULE && frame.digested === undefined) {
    const text = pass.spelling.toJson(pass.source, frame.start, end, true)
    capture(pass, frame.state, frame.isArray ? 'array' : 'object', text)
  }
  frames.pop()
  const outer = frames[frames.length - 1] as Frame
  pass.frame = outer
  pass.nameStart = frame.nameStart
  pass.nameEnd = frame.nameEnd
  pass.symbol = frame.symbol
  pass.path = frame.path
  if (frame.droppedBy !== NOT_DROPPED) {
    const verb = ruleAt(pass, frame.droppedBy)?.verb
    const commit = () => claim(pass, containerJson(pass, frame, end, digest))
    if (verb === 'drop') commit()
    else leaveUnnamed(pass, frame.start, end, commit)
  } else if (frame.tentative !== undefined && !frame.passes) {
    rollBack(pass.output, frame.tentative)
    outer.survivors--
    const commit = () => claim(pass, containerJson(pass, frame, end, digest))
    if (frame.count === 0) leaveUnnamed(pass, frame.start, end, commit)
  } else if (frame.mode !== 'drop') {
    putSpan(pass.output, pass.lastEnd, end)
    outer.passes ||= frame.passes
    if (frame.digested === 'bytes') claim(pass, containerJson(pass, frame, end, digest))
  }
  pass.lastEnd = end
}

// prettier-ignore
function containerJson({ program, spelling, source }: Pass, { start }: Frame, end: number, digest: string | undefined): string {
  if (program.claims === undefined) return ''
  return digest === undefined ? spelling.toJson(source, start, end, true) : JSON.stringify(digest)
}

function finish(pass: Pass): Rewritten & Written {
  const { output, claims } = pass
  const { bytes } = pass.source
  if (pass.frame.survivors === 0) throw refusal('the body is a single value that may not pass')
  putSpan(output, pass.lastEnd, bytes.length)
  return { ...assemble(output, bytes), claims, ...tracesOf(pass) }
}
