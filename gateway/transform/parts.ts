/** A value that comes in parts: the text of a body that is too long to be held. @module */
import { Problem } from '../../base/problem.ts'
import { HELD_BYTES_MAX } from './limits.ts'
import { ROOT } from './matcher.ts'
import { putSpan, putText } from './output.ts'
import type { Pass } from './pass.ts'
import type { BoundRule, Program } from './program.ts'
import { spanText } from './source.ts'

/** What changes a text in parts, as its transform would change all of it. */
export interface TextParts {
  /** @returns what may leave; at most HELD_BYTES_MAX wait for what follows. */
  write(text: string): string
  end(): string
}

/** Whether a body that is one value need not be whole: nobody wants all of it, and its rule takes parts. */
export function takesParts({ matcher, rules, captures, claims }: Program): boolean {
  const rule = rules[matcher.rule[ROOT] as number]
  const isWanted = claims !== undefined || captures[matcher.capture[ROOT] as number] !== undefined
  return !isWanted && (rule?.verb === 'keep' || rule?.transform.inParts !== undefined)
}

/** Takes the next part of the body's one value. INVARIANT: its policy `takesParts`. */
export function onPart(pass: Pass, start: number, end: number, last: boolean): void {
  const { program, matcher, frame, output, source } = pass
  const index = matcher.rule[ROOT] as number
  const { transform } = program.rules[index] as BoundRule
  if (frame.survivors === 0) {
    frame.survivors = 1
    pass.counts.set(index, { count: 1 })
    pass.parts = transform.inParts?.()
  }
  if (pass.parts === undefined) putSpan(output, start, end)
  else
    putText(output, pass.parts.write(spanText(source, start, end)) + (last ? pass.parts.end() : ''))
  pass.lastEnd = end
}

/** Parts nothing that detectors find from what follows, and begins none of it. */
const INSIDE = '\n'
/** Characters that are shown again with what follows; no detector looks further around what it finds. */
const REACH = 4096

/** Something found in a text; offsets count UTF-16 units. */
interface Found {
  readonly start: number
  readonly end: number
}

/**
 * Replaces what is found in a text that comes in parts, in windows that overlap: nothing leaves before
 * what follows it was seen too, and nothing that is found is cut.
 *
 * @param replace gives `text` with all that was found in it replaced.
 */
export function inWindows<Finding extends Found>(
  find: (text: string) => readonly Finding[],
  replace: (text: string, findings: readonly Finding[]) => string,
  reach = REACH,
): TextParts {
  // What has left is shown again before what waits, behind a sign that this is not how the text begins.
  let before = ''
  let waiting = ''
  const take = (keep: number): string => {
    const text = before + waiting
    const from = before.length
    // What begins before was not found when it was seen with all that stands around it.
    const findings = find(text).filter(({ start }) => start >= from)
    let to = Math.max(from, text.length - keep)
    for (const { start, end } of findings.toSorted((a, b) => b.start - a.start)) {
      if (start < to && end > to) to = Math.max(from, start)
    }
    // A character of two units leaves whole.
    if (to > from && to < text.length && isLowSurrogate(text.charCodeAt(to))) to--
    const leaving = findings
      .filter(({ end }) => end <= to)
      .map((one) => ({ ...one, start: one.start - from, end: one.end - from }))
    const shown = before.length === 0 ? 0 : INSIDE.length
    if (to > from) before = INSIDE + text.slice(Math.max(shown, to - reach), to)
    waiting = text.slice(to)
    if (waiting.length > HELD_BYTES_MAX) {
      throw new Problem('body-too-large', `something of over ${HELD_BYTES_MAX} characters was found in the text`) // prettier-ignore
    }
    return replace(text.slice(from, to), leaving)
  }
  return {
    write: (text) => {
      waiting += text
      // Each look takes in what it has seen before, so that a look at few new characters costs too much.
      return waiting.length < 4 * reach ? '' : take(reach)
    },
    end: () => take(0),
  }
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
