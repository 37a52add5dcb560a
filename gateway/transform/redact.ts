/** redact: free text passes, what the detectors find in it does not. @module */
import { KEEP, toRefusal, toText } from './change.ts'
import { readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

/** Finds personal data in a text; offsets count UTF-16 units. */
export type Detect = (text: string) => readonly {
  readonly start: number
  readonly end: number
  readonly kind: string
}[]

/** `{ redact: text }`: each finding becomes its kind in brackets, `[mobile]`; overlapping ones the first's. */
export function createRedact(detect?: Detect): TransformType {
  return (action, _binding, complain) => {
    readParameters(action, complain, 'what').choice('what', ['text'], 'text')
    if (detect === undefined) {
      complain('`redact` needs the detectors', 'load the kinds dictionary')
      return () => toRefusal('no detectors are loaded')
    }
    return (value) => {
      if (value.type === 'null') return KEEP
      const source = value.reveal()
      const text = replaceFindings(source, detect(source))
      return text === source ? KEEP : toText(text)
    }
  }
}

function replaceFindings(source: string, findings: ReturnType<Detect>): string {
  let text = ''
  let end = 0
  for (const finding of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (finding.start >= end) text += `${source.slice(end, finding.start)}[${finding.kind}]`
    end = Math.max(end, finding.end)
  }
  return text + source.slice(end)
}
