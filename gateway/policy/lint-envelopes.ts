/** Looks up the envelopes that a policy names, and says which of them are weak. Pure. @module */
import { type Report, suggest } from '../../base/diagnostic.ts'
import type { EnvelopeConfig } from '../envelope/config.ts'
import { WEAKNESSES } from '../envelope/weak.ts'
import { numbered } from './mistakes.ts'
import type { Policy } from './policy.ts'

/** Reports errors for names that sealgate.yaml has not, and a numbered warning for each weakness. */
export function lintEnvelopes(
  policy: Policy,
  envelopes: readonly EnvelopeConfig[],
  whole: Report,
): void {
  const report = numbered(whole, 'P013')
  for (const side of ['request', 'response'] as const) {
    const { envelope } = policy[side]
    if (envelope === undefined) continue
    for (const name of new Set([envelope.open, envelope.seal])) {
      if (name === undefined) continue
      const found = envelopes.find(({ id }) => id === name)
      if (found === undefined) {
        const help = suggest(
          name,
          envelopes.map(({ id }) => id),
        )
        report.error(envelope.at, `there is no envelope \`${name}\` in sealgate.yaml`, help)
        continue
      }
      if (side === 'response' && found.headers !== undefined) {
        const help = 'name an envelope without `headers`'
        report.error(envelope.at, `\`${name}\` signs the head of a request`, help)
      }
      for (const weakness of found.weak) {
        const { code, what } = WEAKNESSES[weakness]
        const until = `${found.signOff?.by} accepted it until ${found.signOff?.until}`
        report.warning(envelope.at, `the envelope \`${name}\` is weak: ${what}`, until, code)
      }
    }
  }
}
