/** Which long bodies are taken, and how the guard looks at them. @module */
import { Problem } from '../../base/problem.ts'
import type { Exchange, LongBody } from '../exchange.ts'
import type { Policy } from '../policy/policy.ts'
import type { BodyGuard } from '../stream/window.ts'
import { type BodyFormat, formatType, writeContentType } from '../transform/format.ts'
import type { RelayLimits } from './limits.ts'
import type { StagePorts } from './stages.ts'

/** @throws {Problem} `body-too-large` when a body must be short, saying why. */
export function requireLong(
  { BODY_BYTES_MAX, STREAM_BYTES_MAX }: RelayLimits,
  { route }: Exchange,
  direction: 'request' | 'response',
  format: BodyFormat,
  { length }: LongBody,
): void {
  const short = `expected at most ${BODY_BYTES_MAX} bytes`
  if (route?.policy.evidence.custody === 'sealed') {
    throw new Problem('body-too-large', `${short} where originals are kept`)
  }
  if (route?.policy[direction].envelope !== undefined) {
    throw new Problem('body-too-large', `${short} inside of an envelope`)
  }
  if (!formatType(format).streams) {
    throw new Problem('body-too-large', `${short} of ${format.name}, which is read as a whole`)
  }
  if (length !== undefined && length > STREAM_BYTES_MAX) {
    throw new Problem('body-too-large', `expected at most ${STREAM_BYTES_MAX} bytes`)
  }
}

/** The guard for parts of a body. */
export function guardOf(
  ports: Pick<StagePorts, 'guard'>,
  policy: Policy,
  direction: 'request' | 'response',
  format: BodyFormat,
): BodyGuard {
  // Several rows of JSON are read as NDJSON, whatever the media type says.
  const isLines = formatType(format).rows === 'json'
  const mediaType = writeContentType(
    isLines ? { ...format, mediaType: 'application/x-ndjson' } : format,
  )
  return (body, dialect) =>
    ports.guard(policy, direction, { headers: [], path: '', query: '', body, mediaType, dialect })
}

/** Says of a request that was stopped under way how much of it the recipient has. */
export function released(exchange: Exchange, problem: Problem): Problem {
  const { passage, sentUs } = exchange
  if (passage === undefined || sentUs === undefined || passage.whole()) return problem
  const { rows, forwarded: bytes } = passage.progress()
  const detail = `${problem.message}; ${rows} rows, ${bytes} bytes had left for the recipient, whose copy is void`
  return new Problem(problem.slug, detail, { cause: problem, released: { rows, bytes } })
}
