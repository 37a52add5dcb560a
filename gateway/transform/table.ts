/** The table of transforms: every name that a policy may use. @module */
import type { Clock } from '../../base/clock.ts'
import type { KeyRing } from '../token/ring.ts'
import { createDateShift } from './date-shift.ts'
import { createEncrypt, type RecipientKey } from './encrypt.ts'
import { createGeneralise } from './generalise.ts'
import { createLegacyHash } from './legacy-hash.ts'
import { mask } from './mask.ts'
import { constant, drop, keep, monitor, refuse } from './plain.ts'
import { createPseudonymise } from './pseudonymise.ts'
import { createRedact, type Detect } from './redact.ts'
import { createRevealTransform } from './reveal.ts'
import { createTokenize } from './tokenize.ts'
import type { TransformTable } from './transform.ts'
import { createTranslate } from './translate.ts'

/** What transforms need of the world; a policy that uses an absent optional port does not load. */
export interface TransformPorts {
  readonly keys: KeyRing
  readonly clock: Clock
  readonly detect?: Detect
  readonly recipientKey?: RecipientKey
}

/** Makes the table that policies bind to; a rotated key ring needs a new one. */
export function createTransforms(ports: TransformPorts): TransformTable {
  const { keys, clock, detect, recipientKey } = ports
  return new Map([
    ['keep', keep],
    ['drop', drop],
    ['constant', constant],
    ['monitor', monitor],
    ['refuse', refuse],
    ['mask', mask],
    ['generalise', createGeneralise(clock)],
    ['date-shift', createDateShift(keys)],
    ['pseudonymise', createPseudonymise(keys)],
    ['tokenize', createTokenize(keys)],
    ['encrypt', createEncrypt(keys, recipientKey)],
    ['reveal', createRevealTransform(keys)],
    ['translate', createTranslate(keys)],
    ['redact', createRedact(detect)],
    ['legacy-hash', createLegacyHash(clock)],
  ])
}
