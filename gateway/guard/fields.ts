/** Detector of values that only their field's name, or a label in text, gives away. @module */
import type { Kinds } from './kinds.ts'
import { eachMatch } from './matches.ts'
import { addHit, type Scan } from './scan.ts'
import { VALIDATORS } from './validator-table.ts'

/** What a token of the gateway looks like: it may stand in any field but a blocked one. */
const TOKEN = /^(?:(?:tok|psn|enc|vlt)_[a-z][a-z0-9-]*_\d+|lnk)_[a-z]+$/
/** Nothing to protect: empty, masked away, a flag. */
const NOTHING = /^(?:[*•x]*|null|true|false|none|[YN])$/i
const NAMED_SCORE = 0.6

/** Finds whole values whose field names a kind that has no shape of its own. */
export function findNamed(scan: Scan, kinds: Kinds): void {
  if (scan.field.kinds.size === 0) return
  const start = scan.text.length - scan.text.trimStart().length
  const value = scan.text.trim()
  if (NOTHING.test(value)) return
  for (const id of scan.field.kinds) {
    const kind = kinds.get(id)
    if (kind === undefined) continue
    if (kind.class !== 'C3' && (kind.detector !== 'field' || TOKEN.test(value))) continue
    const validator = kind.validator === undefined ? undefined : VALIDATORS[kind.validator]
    if (validator?.(value) === false) continue
    addHit(scan, id, start, start + value.length, NAMED_SCORE, 'value of a field of this kind')
  }
}

const LABELLED_LENGTH_MAX = 64
const LABELLED_LENGTH_MIN = 6
/** What stands between a label and its value. */
const SEPARATED = /[:=是为 ]/

/** Finds authentication data in text: `验证码：482913`, `password=…`. C3 leaves in no form. */
export function findLabelled(scan: Scan, kinds: Kinds): void {
  if (scan.text.length < LABELLED_LENGTH_MIN || !SEPARATED.test(scan.text)) return
  eachMatch(scan.text, LABEL, (label) => {
    const at = label.index + label[0].length
    const value = /^[!-~]+/
      .exec(scan.text.slice(at, at + LABELLED_LENGTH_MAX))?.[0]
      .replace(/["',;.)\]}&].*$/, '')
    if (value === undefined || NOTHING.test(value)) return
    const kind = kinds.all.find(
      ({ class: level, context }) =>
        level === 'C3' && context.includes((label[1] ?? '').toLowerCase()),
    )
    if (kind?.validator === undefined || VALIDATORS[kind.validator]?.(value) !== true) return
    addHit(scan, kind.id, at, at + value.length, NAMED_SCORE, 'value after a label')
  })
}

const LABELS = [
  '密码|口令|password|pwd|验证码|校验码|动态码|动态口令|otp|verification code',
  'cvv2?|cvn2?|cvc|安全码|有效期|valid thru|expiry',
]
const LABEL = new RegExp(`(${LABELS.join('|')})["']?[:=是为 ]{1,4}["']?`, 'giu')
