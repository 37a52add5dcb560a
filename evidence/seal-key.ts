/** The seal key in use: bound for signing, renewed before it ends, announced in the chain. @module */
import { hash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { toBase64url } from '../base/base64url.ts'
import { Problem } from '../base/problem.ts'
import { KEY_RETRY_MS } from './limits.ts'
import type { Draft } from './draft.ts'
import { draftNote } from './payload.ts'
import { newRid } from './random.ts'
import { createSealer, type SealKey, type Sealer } from './seal.ts'

/** A seal key ready to sign. */
export interface BoundKey {
  /** SHA-256 of its certificate, base64url: what each header names. */
  readonly thumbprint: string
  readonly key: SealKey
  readonly seal: Sealer
}

/** The key of one instance. */
export interface KeyHolder {
  current(): BoundKey
  /** Why nothing may be sealed: the key did not sign last time, or its certificate has ended. */
  problem(): Problem | undefined
}

export interface KeyPorts {
  readonly instance: string
  /** Gives the key, and a new one once it passes its `renewAt`. */
  readonly identity: (instance: string) => Promise<SealKey>
  readonly clock: Clock
  readonly alarm: (message: string, error?: unknown) => void
}

/** Opens the key of an instance; renews it in the background while it is used. */
export async function holdKey({ instance, identity, clock, alarm }: KeyPorts): Promise<KeyHolder> {
  let failure: Problem | undefined
  const bindKey = (key: SealKey): BoundKey => {
    const seal = createSealer(key)
    return {
      key,
      thumbprint: hash('sha256', key.certificateDer, 'base64url'),
      seal: (payload, iat) => {
        try {
          const jws = seal(payload, iat)
          failure = undefined
          return jws
        } catch (error) {
          if (error instanceof Problem) failure = error
          throw error
        }
      },
    }
  }
  let bound = bindKey(await identity(instance))
  let renewAtMs = bound.key.renewAt?.getTime() ?? Number.POSITIVE_INFINITY
  const nowMs = () => Number(clock.wallUs() / 1000n)
  const renew = () => {
    renewAtMs = nowMs() + KEY_RETRY_MS // Until then the old key goes on: it has not ended yet.
    identity(instance)
      .then((key) => {
        bound = bindKey(key)
        renewAtMs = Math.max(key.renewAt?.getTime() ?? Number.POSITIVE_INFINITY, renewAtMs)
      })
      .catch((error: unknown) => alarm('the seal key could not be renewed', error))
  }
  return {
    current: () => {
      if (nowMs() >= renewAtMs) renew()
      return bound
    },
    problem: () => {
      if (failure !== undefined) return failure
      const { notAfter } = bound.key
      if (notAfter === undefined || nowMs() < notAfter.getTime()) return undefined
      if (nowMs() >= renewAtMs) renew()
      return new Problem('key-unusable', 'the seal certificate has ended')
    },
  }
}

/**
 * What stands in the chain before a key's first other record: its certificate with the way up, and
 * the last `seq` of the key that it follows, which must sign nothing after.
 */
export function draftKey(
  { thumbprint, key }: BoundKey,
  before: { readonly seq: number; readonly key: string },
  clock: Clock,
): Draft {
  const nowUs = clock.wallUs()
  const facts = {
    activated: thumbprint,
    certificates: [key.certificateDer, ...(key.chainDer ?? [])].map((der) => toBase64url(der)),
    retired: before.key === '' ? undefined : { key: before.key, lastSeq: before.seq },
  }
  return draftNote('key', newRid(nowUs), facts, { receivedUs: nowUs }, [])
}
