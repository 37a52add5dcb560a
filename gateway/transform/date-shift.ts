/** date-shift: all dates of one person move by the same secret number of days. @module */
import { createHmac, tagBytes } from '../../base/hmac.ts'
import { deriveKey, domainOf } from '../token/domain.ts'
import type { KeyRing } from '../token/ring.ts'
import { parseDate, shiftDate } from './calendar.ts'
import { KEEP, toRefusal, toText } from './change.ts'
import { readParameters } from './parameters.ts'
import type { Change, TransformType } from './transform.ts'

const DAYS_MAX = 3650
const KEY_BYTES = 32

/**
 * `{ date-shift: 30, subject: borrower }` moves a date by 1 to 30 days, back or forth. `subject` is
 * one of the policy's `evidence.links`: its value in this body decides by how much, so that the days
 * between two dates of one subject stay true. A body without that value is refused.
 */
export function createDateShift(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'days', ['subject'])
    const days = parameters.integer('days', [1, DAYS_MAX])
    const subject = parameters.text('subject', 'borrower')
    // One key for all kinds: a birth date and a hiring date move together.
    const domain = { ...domainOf(binding), kind: 'any' }
    const hmac = createHmac('sha256', deriveKey(keys.current, domain, 'date-shift', KEY_BYTES))
    const unknown = toRefusal(`expected a value for the link \`${subject}\``)
    const unsuitable = toRefusal('expected a date such as 1990-01-31')
    return (value, links) => {
      if (value.type === 'null') return KEEP
      const date = parseDate(value.reveal())
      if (date === undefined) return unsuitable
      if (links === undefined) return unknown
      const shift = (person: string | undefined): Change => {
        if (person === undefined) return unknown
        // 2 · days possible shifts of a 48-bit number: the bias is below 10⁻¹⁰.
        const draw = tagBytes(hmac(person, 'latin1')).readUIntBE(0, 6) % (2 * days)
        return toText(shiftDate(date, draw < days ? draw - days : draw - days + 1))
      }
      return { change: 'later', result: links(subject).then(shift) }
    }
  }
}
