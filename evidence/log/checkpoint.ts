/** Checkpoints (c2sp.org/tlog-checkpoint): the signed head of the log. @module */
import { sign } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { verifySignature } from '../crypto.ts'
import {
  ED25519,
  ED25519_COSIGNATURE,
  type Note,
  type NoteSigner,
  parseNote,
  schemeOf,
  signaturesOf,
  signatureLine,
  signText,
  type Verifier,
  verifyText,
} from './note.ts'
import { parseHash } from './proof.ts'

/** A tree head. */
export interface TreeHead {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** A tree head with the note that carries it. Its signatures are not verified yet. */
export interface Checkpoint extends TreeHead {
  readonly note: Note
}

/** Writes the signed part: origin, size, root. */
export function checkpointText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** Signs a tree head with every key of the log, one line each, Ed25519 first. */
export function signCheckpoint(
  head: TreeHead,
  signers: readonly NoteSigner[],
  timeS: number,
): string {
  const text = checkpointText(head)
  const lines = signers.map((signer) =>
    signer.verifier.type === ED25519 ? signText(signer, text) : cosign(signer, head, text, timeS),
  )
  return `${text}\n${lines.join('')}`
}

/** Reads a checkpoint, canonical spelling only. @throws {Problem} `request-malformed`. */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text)
  const [origin = '', sizeLine = '', rootLine = ''] = note.text.split('\n')
  const size = /^(0|[1-9]\d{0,15})$/.test(sizeLine) ? Number(sizeLine) : Number.NaN
  if (origin === '' || !Number.isSafeInteger(size)) {
    throw new Problem('request-malformed', 'expected the lines origin, size and root hash')
  }
  return { origin, size, root: parseHash(rootLine), note }
}

/**
 * Adds a timestamped signature (c2sp.org/tlog-cosignature) to a tree head.
 *
 * @param timeS seconds since the Unix epoch.
 */
export function cosign(
  { verifier, privateKey }: NoteSigner,
  head: TreeHead,
  text: string,
  timeS: number,
): string {
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(timeS))
  const message = cosignedMessage(verifier, head, text, time)
  return signatureLine(verifier, Buffer.concat([time, sign(null, message, privateKey)]))
}

/** What a valid signature says; a log's own type 0x01 signature carries no time. */
export interface SignatureCheck {
  readonly timeS?: number
}

/** Verifies the signature of one key; undefined when there is none that is good. */
export function verifyCheckpoint(
  checkpoint: Checkpoint,
  verifier: Verifier,
): SignatureCheck | undefined {
  if (verifier.type === ED25519) return verifyText(checkpoint.note, verifier) ? {} : undefined
  for (const bytes of signaturesOf(checkpoint.note, verifier)) {
    const time = bytes.subarray(0, 8)
    if (time.length < 8 || time.readBigUInt64BE() > BigInt(Number.MAX_SAFE_INTEGER)) continue
    const message = cosignedMessage(verifier, checkpoint, checkpoint.note.text, time)
    if (verifySignature(schemeOf(verifier.type), verifier.key, message, bytes.subarray(8))) {
      return { timeS: Number(time.readBigUInt64BE()) }
    }
  }
  return undefined
}

/** The message of c2sp.org/tlog-cosignature: text lines for Ed25519, a binary structure for ML-DSA-44. */
function cosignedMessage(verifier: Verifier, head: TreeHead, text: string, time: Buffer): Buffer {
  if (verifier.type === ED25519_COSIGNATURE) {
    return Buffer.from(`cosignature/v1\ntime ${time.readBigUInt64BE()}\n${text}`)
  }
  const end = Buffer.alloc(16) // start is 0: a checkpoint covers the whole tree.
  end.writeBigUInt64BE(BigInt(head.size), 8)
  return Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    lengthPrefixed(verifier.name),
    time,
    lengthPrefixed(head.origin),
    end,
    head.root,
  ])
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length === 0 || bytes.length > 255) {
    throw new Problem('request-malformed', 'an origin or key name has 1 to 255 bytes')
  }
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}
