/** W3C Trace Context: https://www.w3.org/TR/trace-context/ level 1. @module */
import { drawRandom } from '../../evidence/random.ts'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * The `traceparent` for the recipient, always with a new parent id.
 *
 * @param incoming the caller's header when the policy lists `traceparent`; else the trace restarts
 *   (§4.3), since an identifier that the caller chose could itself carry a person's number.
 */
export function nextTraceparent(incoming: string | undefined): string {
  const random = drawRandom(24).toString('hex')
  const match = incoming === undefined ? null : TRACEPARENT.exec(incoming)
  const parent = random.slice(0, 16)
  if (match === null) return `00-${random.slice(16)}-${parent}-00`
  // Only the sampled flag is defined at this level; others must be cleared (§3.2.2.5).
  const sampled = Number.parseInt(match[3] ?? '00', 16) & 1
  return `00-${match[1]}-${parent}-0${sampled}`
}
