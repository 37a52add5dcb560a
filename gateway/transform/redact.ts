/** redact: free text passes, what the detectors find in it does not. @module */
import { KEEP, toRefusal, toText } from './change.ts'
import { readParameters } from './parameters.ts'
import { inWindows } from './parts.ts'
import type { Transform, TransformType } from './transform.ts'

/** Personal data in a text; offsets count UTF-16 units. */
interface Finding {
  readonly start: number
  readonly end: number
  readonly kind: string
}

/** Finds personal data in a text. */
export type Detect = (text: string) => readonly Finding[]

/** `{ redact: text }`: each finding becomes its kind in brackets, `[mobile]`; overlapping ones the first's. */
export function createRedact(detect?: Detect): TransformType {
  return (action, _binding, complain) => {
    readParameters(action, complain, 'what').choice('what', ['text'], 'text')
    if (detect === undefined) {
      complain('`redact` needs the detectors', 'load the kinds dictionary')
      return () => toRefusal('no detectors are loaded')
    }
    const redact: Transform = (value) => {
      if (value.type === 'null') return KEEP
      const source = value.reveal()
      const findings = detect(source)
      return findings.length === 0 ? KEEP : toText(replaceFindings(source, findings))
    }
    return Object.assign(redact, { inParts: () => inWindows(detect, replaceFindings) })
  }
}

function replaceFindings(source: string, findings: readonly Finding[]): string {
  let text = ''
  let end = 0
  for (const finding of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (finding.start >= end) text += `${source.slice(end, finding.start)}[${finding.kind}]`
    end = Math.max(end, finding.end)
  }
  return text + source.slice(end)
}
