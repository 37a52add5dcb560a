/** Opaque tokens: the value itself, sealed under its domain's key. Nothing is stored. @module */
import { deriveKey, type Domain } from './domain.ts'
import { fromLetters, LETTERS_BLOCK, LETTERS_BLOCK_BYTES, toLetters } from './letters.ts'
import { TOKEN_VALUE_BYTES_MAX } from './limits.ts'
import type { KeyRing, MasterKey } from './ring.ts'
import { createSiv, type Siv } from './siv.ts'
import { type TokenForm, tokenPrefix, type TokenText } from './text.ts'

const TAG_BYTES = 16
const SIV_KEY_BYTES = 64
const PADDING = 0xff
/** Tokens that are made at once. */
const BATCH_MAX = 1024

/** Gives the token's text; the first one that is asked for makes all that wait with it. */
export type LateToken = () => string

/**
 * Prepares minting in one domain with the ring's current key. Equal values give equal tokens.
 *
 * @returns a function that gives undefined for a value that is too long or not well-formed Unicode.
 */
export function createMint(
  ring: KeyRing,
  domain: Domain,
  form: 'tok' | 'enc',
): (value: string) => LateToken | undefined {
  const prefix = tokenPrefix(form, domain.kind, ring.current.version)
  const siv = sivOf(ring.current, domain, form)
  let batch = startBatch(siv, prefix)
  return (value) => {
    const plain = pack(value)
    if (plain === undefined) return undefined
    if (batch.isClosed()) batch = startBatch(siv, prefix)
    return batch.add(plain)
  }
}

/** Values that become tokens together. */
function startBatch(siv: Siv, prefix: string) {
  let plains: Buffer[] = []
  let tokens: readonly string[] | undefined
  const make = (): readonly string[] => {
    const letters = toLetters(siv.sealAll(plains))
    let at = 0
    tokens = plains.map(({ length }) => {
      const start = at
      at += ((TAG_BYTES + length) / LETTERS_BLOCK_BYTES) * LETTERS_BLOCK
      return prefix + letters.slice(start, at)
    })
    plains = []
    return tokens
  }
  return {
    isClosed: () => tokens !== undefined || plains.length === BATCH_MAX,
    add: (plain: Buffer): LateToken => {
      const index = plains.push(plain) - 1
      return () => (tokens ?? make())[index] as string
    },
  }
}

/**
 * Prepares revealing in one domain, for every version that the ring still accepts.
 *
 * @returns a function that gives undefined for a token that was not made in this domain.
 */
export function createReveal(
  ring: KeyRing,
  domain: Domain,
): (token: TokenText) => string | undefined {
  const sivs = new Map<string, Siv>()
  return ({ form, kind, version, body }) => {
    const master = ring.find(version)
    if (kind !== domain.kind || master === undefined) return undefined
    if (form !== 'tok' && form !== 'enc') return undefined
    const sealed = fromLetters(body)
    if (sealed === undefined) return undefined
    const name = `${form}${version}`
    let siv = sivs.get(name)
    if (siv === undefined) {
      siv = sivOf(master, domain, form)
      sivs.set(name, siv)
    }
    const plain = siv.open(sealed)
    return plain === undefined ? undefined : unpack(plain)
  }
}

function sivOf(master: MasterKey, domain: Domain, form: TokenForm): Siv {
  const key = deriveKey(master, domain, form === 'tok' ? 'token' : 'encrypt', SIV_KEY_BYTES)
  return createSiv(key, Buffer.from(tokenPrefix(form, domain.kind, master.version)))
}

/**
 * Packs a value. Digits (a closing X included) take half a byte each, after a marker that no UTF-8
 * text begins with, so that the token of a resident id stays short. Padding to whole letter blocks
 * hides small differences of length: names of two to four characters look alike.
 */
function pack(value: string): Buffer | undefined {
  if (value.length > TOKEN_VALUE_BYTES_MAX || !value.isWellFormed()) return undefined
  const isNumber = isDigits(value)
  const size = isNumber ? (value.length >> 1) + 1 : Buffer.byteLength(value)
  if (size > TOKEN_VALUE_BYTES_MAX) return undefined
  const blocks = Math.ceil((TAG_BYTES + size) / LETTERS_BLOCK_BYTES)
  const plain = Buffer.allocUnsafe(Math.max(blocks, 4) * LETTERS_BLOCK_BYTES - TAG_BYTES)
  for (let at = size; at < plain.length; at++) plain[at] = PADDING
  if (!isNumber) plain.write(value)
  else for (let at = 0; at < size; at++) plain[at] = (nibble(value, 2 * at - 1) << 4) | nibble(value, 2 * at) // prettier-ignore
  return plain
}

/** Digits, with a closing X perhaps. */
function isDigits(value: string): boolean {
  const last = value.length - 1
  for (let at = 0; at <= last; at++) {
    const code = value.charCodeAt(at)
    if ((code < 0x30 || code > 0x39) && !(code === 0x58 && at === last && at > 0)) return false
  }
  return last >= 0
}

/** The half byte of a digit or X; before the first one the marker, behind the last one padding. */
function nibble(value: string, at: number): number {
  if (at < 0) return 0xb
  if (at >= value.length) return 0xf
  const code = value.charCodeAt(at)
  return code === 0x58 ? 0xa : code - 0x30
}

function unpack(plain: Buffer): string {
  // Neither UTF-8 nor packed digits end in 0xff.
  const text = plain.subarray(0, plain.findLastIndex((byte) => byte !== PADDING) + 1)
  if ((text[0] ?? 0) >>> 4 !== 0xb) return text.toString('utf8')
  return text.toString('hex').slice(1).replace('f', '').replace('a', 'X')
}
