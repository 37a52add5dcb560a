/** Signed notes (c2sp.org/signed-note) with Ed25519 and ML-DSA-44 keys. @module */
import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { type PublicKey, readRawKey, sha256, verifySignature } from '../crypto.ts'
import { NOTE_BYTES_MAX, SIGNATURES_MAX } from './limits.ts'

/** Plain Ed25519 (c2sp.org/signed-note); the next two are of c2sp.org/tlog-cosignature. */
export const ED25519 = 0x01
/** Ed25519 with a time, over text. */
export const ED25519_COSIGNATURE = 0x04
/** ML-DSA-44 with a time, over a binary structure. */
export const ML_DSA_44_COSIGNATURE = 0x06
export type SignatureType =
  typeof ED25519 | typeof ED25519_COSIGNATURE | typeof ML_DSA_44_COSIGNATURE

const PUBLIC_KEY_BYTES: ReadonlyMap<number, number> = new Map([
  [ED25519, 32],
  [ED25519_COSIGNATURE, 32],
  [ML_DSA_44_COSIGNATURE, 1312],
])

/** A public key that may sign notes under a name. `text` is its `<name>+<id>+<key>` form. */
export interface Verifier {
  readonly name: string
  /** First four bytes of SHA-256(name ‖ "\n" ‖ type ‖ key), hex. */
  readonly id: string
  readonly type: SignatureType
  readonly key: PublicKey
  readonly text: string
}

/** A private key with its verifier. */
export interface NoteSigner {
  readonly verifier: Verifier
  readonly privateKey: KeyObject
}

export interface NoteSignature {
  readonly name: string
  readonly id: string
  /** What follows the key id. */
  readonly bytes: Buffer
}

export interface Note {
  /** The signed text, ending in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Names a public key. @throws {Problem} `request-malformed` when the name or the key does not fit. */
export function makeVerifier(name: string, type: SignatureType, key: KeyObject): Verifier {
  return nameKey(name, type, key, rawPublicKey(key))
}

/** The same key under another name: its id and its text change with it. */
export function renameVerifier(verifier: Verifier, name: string): Verifier {
  const { type, key, text } = verifier
  const typed = Buffer.from(text.slice(`${verifier.name}+${verifier.id}+`.length), 'base64')
  return nameKey(name, type, key, typed.subarray(1))
}

function nameKey(name: string, type: SignatureType, key: PublicKey, raw: Buffer): Verifier {
  // c2sp.org/signed-note: a key name has no space, no plus and is not empty.
  if (name === '' || /[\s+]/u.test(name)) {
    throw new Problem('request-malformed', 'a key name has neither spaces nor plus signs')
  }
  if (raw.length !== PUBLIC_KEY_BYTES.get(type)) {
    throw new Problem('request-malformed', `a key of ${raw.length} bytes is not of type ${type}`)
  }
  const typed = Buffer.concat([Buffer.from([type]), raw])
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).toString('hex', 0, 4)
  return { name, id, type, key, text: `${name}+${id}+${typed.toString('base64')}` }
}

/** Makes a signer from a private key; the type says in which form it signs. */
export function makeSigner(name: string, type: SignatureType, privateKey: KeyObject): NoteSigner {
  return { verifier: makeVerifier(name, type, createPublicKey(privateKey)), privateKey }
}

/** Reads `<name>+<id>+<key>`, canonical spelling only. @throws {Problem} `request-malformed`. */
export function parseVerifier(text: string): Verifier {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? []
  const typed = Buffer.from(encoded ?? '', 'base64')
  const type = typed[0]
  if (
    name === undefined ||
    typed.toString('base64') !== encoded ||
    !isSignatureType(type) ||
    typed.length - 1 !== PUBLIC_KEY_BYTES.get(type)
  ) {
    throw new Problem('request-malformed', 'expected a verifier key `<name>+<8 hex>+<base64>`')
  }
  const raw = typed.subarray(1)
  const verifier = nameKey(name, type, readRawKey(schemeOf(type), raw), raw)
  if (verifier.id !== id) {
    throw new Problem('request-malformed', `the key hashes to ${verifier.id}, not to ${id}`)
  }
  return verifier
}

/** Splits a note into text and signature lines. Nothing is verified. @throws {Problem} `request-malformed`. */
export function parseNote(note: string): Note {
  if (note.length > NOTE_BYTES_MAX) {
    throw new Problem('request-malformed', `a note has at most ${NOTE_BYTES_MAX} bytes`)
  }
  const end = note.lastIndexOf('\n\n')
  const lines = note.slice(end + 2).split('\n')
  if (end <= 0 || lines.pop() !== '' || lines.length === 0 || lines.length > SIGNATURES_MAX) {
    throw new Problem('request-malformed', 'expected text, a blank line, and signature lines')
  }
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line) ?? []
  const bytes = Buffer.from(encoded ?? '', 'base64')
  if (name === undefined || bytes.length <= 4 || bytes.toString('base64') !== encoded) {
    throw new Problem('request-malformed', 'expected signature lines `— <name> <base64>`')
  }
  return { name, id: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) }
}

/** Writes one signature line. */
export function signatureLine({ name, id }: Verifier, bytes: Uint8Array): string {
  const encoded = Buffer.concat([Buffer.from(id, 'hex'), bytes]).toString('base64')
  return `\u2014 ${name} ${encoded}\n`
}

/** Signs a note's text with Ed25519 (type 0x01). */
export function signText({ verifier, privateKey }: NoteSigner, text: string): string {
  return signatureLine(verifier, sign(null, Buffer.from(text), privateKey))
}

/** Whether the note carries a good Ed25519 (type 0x01) signature of this key. */
export function verifyText(note: Note, verifier: Verifier): boolean {
  return signaturesOf(note, verifier).some((bytes) =>
    verifySignature('Ed25519', verifier.key, Buffer.from(note.text), bytes),
  )
}

/** Signature bytes that claim to be this key's: same name and same id. Others are ignored, by the spec. */
export function signaturesOf(note: Note, { name, id }: Verifier): Buffer[] {
  return note.signatures
    .filter((signature) => signature.name === name && signature.id === id)
    .map((signature) => signature.bytes)
}

function isSignatureType(type: number | undefined): type is SignatureType {
  return type !== undefined && PUBLIC_KEY_BYTES.has(type)
}

/** The algorithm behind a signature type. */
export function schemeOf(type: SignatureType): 'Ed25519' | 'ML-DSA-44' {
  return type === ML_DSA_44_COSIGNATURE ? 'ML-DSA-44' : 'Ed25519'
}

function rawPublicKey(key: KeyObject): Buffer {
  const jwk: Readonly<Record<string, unknown>> = { ...key.export({ format: 'jwk' }) }
  const encoded = jwk['pub'] ?? jwk['x']
  return Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64url')
}
