/** What stands between the items of a container: spans that leave with it, and spans that do not. @module */
import { putSpan, putText } from './output.ts'
import type { Pass } from './pass.ts'

/** A span that belongs to the container itself. */
export function putLiteral(pass: Pass, start: number, end: number): void {
  const { mode } = pass.frame
  // What is kept whole goes out with all that stands between.
  if (mode !== 'drop') putSpan(pass.output, mode === 'keep' ? pass.lastEnd : start, end)
  pass.lastEnd = end
}

/** A span that nobody may see, unless all of the container is kept. */
export function skipSpan(pass: Pass, start: number, end: number): void {
  const { mode, survivors } = pass.frame
  if (mode === 'keep') return
  if (mode === 'deny' && survivors > 0) putSpan(pass.output, pass.lastEnd, start)
  pass.lastEnd = end
}

/** A span that goes in any case. */
export function omitSpan(pass: Pass, start: number, end: number): void {
  if (pass.frame.mode === 'keep') putSpan(pass.output, pass.lastEnd, start)
  pass.lastEnd = end
}

/** A text that belongs to the container, and stands nowhere in the body. */
export function insertText(pass: Pass, text: string): void {
  if (pass.frame.mode !== 'drop') putText(pass.output, text)
}
