/** The first leaf of a log that follows another: it fixes the other's last checkpoint. Pure. @module */
import { uuidv7 } from '../../base/uuid.ts'
import { sha256 } from '../crypto.ts'
import { toBase64url } from '../../base/base64url.ts'
import type { NewRecord } from './batch.ts'

/**
 * Why a log follows another: the half-year is over, or the history could not go on (a restored
 * backup, lost files). Kinds of leaves, like the kinds of records.
 */
export type TurnKind = 'turn' | 'restore'

/** How a log begins. `checkpoint` is the newest that was ever signed of the log before, verbatim. */
export interface Turn {
  readonly kind: TurnKind
  readonly checkpoint: string
}

/** Whether a leaf stands for another log's checkpoint and not for a sealed record. */
export function isTurn(kind: string | undefined): kind is TurnKind {
  return kind === 'turn' || kind === 'restore'
}

/** The first leaf; in the place of a JWS stands the checkpoint. */
export function turnRecord({ kind, checkpoint }: Turn, nowUs: bigint): NewRecord {
  const hash = sha256(checkpoint)
  const rid = uuidv7(Number(nowUs / 1000n), hash.subarray(0, 10))
  return { rid, kind, digest: toBase64url(hash), jws: checkpoint }
}
