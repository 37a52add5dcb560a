/** Validators by the names that policies/kinds.yaml uses. @module */
import * as is from './validators.ts'

/** Whether a whole, normalised value has the shape of its kind. */
export type Validator = (text: string) => boolean

// prettier-ignore
export const VALIDATORS: Readonly<Record<string, Validator>> = {
  'resident-id':    (text) => is.parseResidentId(text) !== undefined || /^[A-Z]{3}\d{12}$/.test(text),
  'passport':       (text) => /^(?=.*\d{5})[A-Z0-9]{6,10}$/i.test(text),
  'travel-permit':  (text) => /^(?:[HMCW][A-Z0-9]?\d{7,10}|\d{8}|\d{10}[A-Z]?)$/i.test(text),
  'hkid':           is.isHkid,
  'twid':           is.isTwid,
  'mobile':         is.isMobile,
  'landline':       (text) => /^0\d{2,3}-?\d{7,8}(?:-\d{1,6})?$/.test(text),
  'email':          (text) => /^[^@\s]{1,64}@[^@\s]{3,253}$/.test(text),
  'bank-card':      (text) => is.bankCardIssuer(text) !== undefined && is.passesLuhn(text),
  // Format-preserving tokens of cards begin with 0 and fail Luhn.
  'account-number': (text) => /^\d{8,25}$/.test(text) && (!/^0\d{12,18}$/.test(text) || is.passesLuhn(text)),
  'alipay-id':      (text) => /^2088\d{12}$/.test(text),
  'uscc':           is.isUscc,
  'name':           (text) => /^[\p{L}\p{M}·•‧・．.'’ -]{2,64}$/u.test(text),
  'plate':          (text) => /^\p{Script=Han}[A-HJ-NP-Z][·-]?[A-HJ-NP-Z0-9]{4,6}\p{Script=Han}?$/u.test(text),
  'vin':            is.isVin,
  'imei':           (text) => /^\d{15}$/.test(text) ? is.passesLuhn(text) : /^[0-9A-F]{14}$/i.test(text),
  'imsi':           (text) => /^460\d{12}$/.test(text),
  'iccid':          (text) => /^89860[0-9A-F]{14,15}$/i.test(text),
  'mac-address':    (text) => /^(?:[0-9A-F]{2}[:-]?){5}[0-9A-F]{2}$/i.test(text),
  'device-id':      (text) => /^(?=.*\d)(?!0[0-]*$)[0-9A-Za-z:_-]{8,128}$/.test(text),
  'ip-address':     (text) => /^[0-9A-F:.]{3,45}$/i.test(text),
  'location':       (text) => /^-?\d{1,3}\.\d{3,}(?:[ ,]{1,2}-?\d{1,3}\.\d{3,})?$/.test(text),
  'address':        (text) => /\p{Script=Han}{2}/u.test(text),
  'date':           (text) => /^\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?(?:$|[ T])/.test(text),
  'wechat':         (text) => /^[A-Za-z][-_A-Za-z0-9]{5,19}$/.test(text) || is.isMobile(text),
  'qq':             (text) => /^[1-9]\d{4,10}$/.test(text),
  'openid':         (text) => /^o[\w-]{27}$/.test(text) || /^[\w-]{16,64}$/.test(text),
  'number':         (text) => /^\d+(?:\.\d+)?$/.test(text),
  'text':           (text) => text !== '',
  'secret':         (text) => text.length >= 4,
  'one-time-code':  (text) => /^(?=.*\d)[A-Za-z0-9]{4,8}$/.test(text),
  'cvv':            (text) => /^\d{3,4}$/.test(text),
  'card-expiry':    (text) => /^(?:(?:0[1-9]|1[0-2])[-/ ]?(?:20)?[2-9]\d|[2-9]\d[-/]?(?:0[1-9]|1[0-2]))$/.test(text),
}
