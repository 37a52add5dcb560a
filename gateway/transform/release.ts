/** Lets go of the part of a document that is decided, so that a stream needs constant memory. @module */
import type { Claim } from '../../evidence/record.ts'
import { assemble, cut, putSpan, type Written } from './output.ts'
import { NO_RULE, NOT_DROPPED, type Pass, pathOf } from './pass.ts'

/** What may leave, and the first byte that is needed still. */
export interface Released extends Written {
  readonly claims: readonly Claim[]
  readonly keepFrom: number
}

/**
 * Writes out what is decided up to `consumed`, of which no part is read again. Afterwards positions
 * count from `keepFrom`.
 */
export function release(pass: Pass, consumed: number): Released {
  const { frames, frame, matcher, output } = pass
  // A container whose inside is not reported passes as it comes.
  if (frame.mode === 'keep') putSpan(output, pass.lastEnd, consumed)
  if (frame.mode !== 'deny') pass.lastEnd = consumed
  if (settleTentative(pass)) return { bytes: Buffer.alloc(0), cuts: [], claims: [], keepFrom: 0 }
  // What parts the last item from the next comes out with the next.
  let keepFrom = Math.min(consumed, pass.lastEnd)
  for (const [level, open] of frames.entries()) {
    if (level === 0) continue
    // Its name is about to go; its path must be known first.
    open.path ??= pathOf(pass, level, open)
    // A claim or a capture will want all of it.
    const isClaimed = open.droppedBy !== NOT_DROPPED && pass.program.claims !== undefined
    const wanted = isClaimed || matcher.capture[open.state] !== NO_RULE
    if (wanted && open.digested === undefined)
      keepFrom = Math.min(keepFrom, Math.max(0, open.start))
  }
  const written = assemble(output, pass.source.bytes)
  pass.changes.length = 0
  for (const open of frames) open.start -= keepFrom
  pass.lastEnd -= keepFrom
  pass.offset += keepFrom
  // What was decoded of the rest stays decoded: there may be many rows in it.
  const { bytes: all, latin1, isAscii } = pass.source
  pass.source = { bytes: all.subarray(keepFrom), latin1: latin1?.slice(keepFrom), isAscii }
  return { ...written, claims: pass.claims.splice(0), keepFrom }
}

/**
 * Marks the end of a part, of a row for instance, so that `release` tells where it ends in what is written.
 *
 * @param end where it ends in the document.
 * @returns whether any of it stays; what came since the last cut in this container is one part.
 */
export function cutHere(pass: Pass, end: number): boolean {
  const { frame, output } = pass
  const { count, survivors, cutCount, cutSurvivors } = frame
  if (frame.mode === 'keep') {
    putSpan(output, pass.lastEnd, end)
    pass.lastEnd = end
  }
  cut(output)
  frame.cutCount = count
  frame.cutSurvivors = survivors
  // Of a container that is kept or dropped whole, nothing may be reported.
  return count === cutCount ? frame.mode === 'keep' : survivors > cutSurvivors
}

/** @returns whether some open container may have to be taken back, name and all. */
function settleTentative({ frames }: Pass): boolean {
  let passes = false
  let pending = false
  for (const open of frames.toReversed()) {
    passes ||= open.passes
    open.passes = passes
    if (passes) open.tentative = undefined
    else pending ||= open.tentative !== undefined
  }
  return pending
}
