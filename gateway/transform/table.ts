/** The table of transforms: every name that a policy may use. @module */
import type { Clock } from '../../base/clock.ts'
import type { KeyRing } from '../token/ring.ts'
import { mask } from './mask.ts'
import { constant, drop, keep, monitor, refuse } from './plain.ts'
import { createPseudonymise } from './pseudonymise.ts'
import { createReveals, createTokenize } from './tokenize.ts'
import type { TransformTable } from './transform.ts'

/** What transforms need of the world. */
export interface TransformPorts {
  readonly keys: KeyRing
  readonly clock: Clock
}

/** Makes the table that policies bind to; a rotated key ring needs a new one. */
export function createTransforms(ports: TransformPorts): TransformTable {
  return new Map([
    ['keep', keep],
    ['drop', drop],
    ['constant', constant],
    ['monitor', monitor],
    ['refuse', refuse],
    ['mask', mask],
    ['pseudonymise', createPseudonymise(ports.keys)],
    ['tokenize', createTokenize(ports.keys)],
    ['reveal', createReveals(ports.keys)],
  ])
}
