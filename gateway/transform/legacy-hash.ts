/** legacy-hash: an unkeyed hash for partners that cannot do better yet. Weak, and said to be so. @module */
import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { normalise } from '../token/normalise.ts'
import { parseDate, shiftDate, todayInChina } from './calendar.ts'
import { replaceBy, toRefusal } from './change.ts'
import { readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

const ALGORITHMS = { md5: 'md5', 'sha-1': 'sha1', 'sha-256': 'sha256', sm3: 'sm3' } as const
const NAMES = Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[]
/** An exception for longer than this is a rule. */
const DAYS_AHEAD_MAX = 366

/**
 * `{ legacy-hash: md5, signOff: …, expires: 2027-03-31 }`, lower-case hex. All mobile numbers are
 * hashed in a second by whoever wants to know; so somebody signs for it, and it ends by itself: from
 * the day after `expires` (in China) each exchange is refused.
 */
export function createLegacyHash(clock: Clock): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'algorithm', ['signOff', 'expires'])
    const algorithm = ALGORITHMS[parameters.choice('algorithm', NAMES)]
    parameters.text('signOff')
    const expires = parameters.text('expires')
    const date = parseDate(expires)
    if (date?.separator !== '-' || date.rest !== '') {
      complain('`expires` of `legacy-hash` is not a date', 'type for example `expires: 2027-03-31`')
    } else if (shiftDate(date, -DAYS_AHEAD_MAX) > todayInChina(clock)) {
      complain('`expires` of `legacy-hash` is too far off', 'expected a date within a year')
    }
    const expired = toRefusal(`its legacy hash expired on ${expires}`)
    const apply = replaceBy((source) => hash(algorithm, normalise(binding.kind, source)))
    return (value) => (todayInChina(clock) > expires ? expired : apply(value))
  }
}
