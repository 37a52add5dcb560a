/** The table of transforms: every name that a policy may use. @module */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { KeyRing } from '../token/ring.ts'
import type { VaultPorts, VaultStore } from '../token/vault.ts'
import { createAttest, type Verifiers } from './attest.ts'
import { createDateShift } from './date-shift.ts'
import { createEncrypt, type RecipientKey } from './encrypt.ts'
import { createGeneralise } from './generalise.ts'
import { createLegacyHash } from './legacy-hash.ts'
import { createMask, type DefaultMask } from './mask.ts'
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
  /** What the kinds dictionary says; without it a kind masks by the preset of its name. */
  readonly defaultMask?: DefaultMask
  readonly detect?: Detect
  readonly recipientKey?: RecipientKey
  readonly vault?: VaultStore
  readonly verifiers?: Verifiers
}

/** Makes the table that policies bind to; a rotated key ring needs a new one. */
export function createTransforms(ports: TransformPorts): TransformTable {
  const {
    keys,
    clock,
    defaultMask,
    detect,
    recipientKey,
    vault: store,
    verifiers = new Map(),
  } = ports
  const random = (bytes: number) => randomBytes(bytes)
  const nowMs = () => Number(clock.wallUs() / 1000n)
  const vault: VaultPorts | undefined = store && { store, random, nowMs }
  return new Map([
    ['keep', keep],
    ['drop', drop],
    ['constant', constant],
    ['monitor', monitor],
    ['refuse', refuse],
    ['mask', createMask(defaultMask)],
    ['generalise', createGeneralise(clock)],
    ['date-shift', createDateShift(keys)],
    ['pseudonymise', createPseudonymise(keys)],
    ['tokenize', createTokenize(keys, vault)],
    ['encrypt', createEncrypt(keys, recipientKey)],
    ['reveal', createRevealTransform(keys, vault)],
    ['translate', createTranslate(keys)],
    ['redact', createRedact(detect)],
    ['attest', createAttest({ clock, random, verifiers })],
    ['legacy-hash', createLegacyHash(clock)],
  ])
}
