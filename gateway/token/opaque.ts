/** Opaque tokens: the value itself, sealed under its domain's key. Nothing is stored. @module */
import { deriveKey, type Domain } from './domain.ts'
import { fromLetters, LETTERS_BLOCK_BYTES, toLetters } from './letters.ts'
import { TOKEN_VALUE_BYTES_MAX } from './limits.ts'
import type { KeyRing, MasterKey } from './ring.ts'
import { createSiv, type Siv } from './siv.ts'
import { type TokenForm, tokenPrefix, type TokenText } from './text.ts'

const TAG_BYTES = 16
const SIV_KEY_BYTES = 64
const PADDING = 0xff

/**
 * Prepares minting in one domain with the ring's current key. Equal values give equal tokens.
 *
 * @returns a function that gives undefined for a value that is too long or not well-formed Unicode.
 */
export function createMint(
  ring: KeyRing,
  domain: Domain,
  form: 'tok' | 'enc',
): (value: string) => string | undefined {
  const prefix = tokenPrefix(form, domain.kind, ring.current.version)
  const siv = sivOf(ring.current, domain, form)
  return (value) => {
    const plain = pack(value)
    return plain === undefined ? undefined : prefix + toLetters(siv.seal(plain))
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
  const text = /^[0-9]+X?$/.test(value)
    ? Buffer.from(`b${value.replace('X', 'a')}${value.length % 2 === 0 ? 'f' : ''}`, 'hex')
    : Buffer.from(value)
  if (text.length > TOKEN_VALUE_BYTES_MAX) return undefined
  const blocks = Math.ceil((TAG_BYTES + text.length) / LETTERS_BLOCK_BYTES)
  const plain = Buffer.alloc(Math.max(blocks, 4) * LETTERS_BLOCK_BYTES - TAG_BYTES, PADDING)
  plain.set(text)
  return plain
}

function unpack(plain: Buffer): string {
  // Neither UTF-8 nor packed digits end in 0xff.
  const text = plain.subarray(0, plain.findLastIndex((byte) => byte !== PADDING) + 1)
  if ((text[0] ?? 0) >>> 4 !== 0xb) return text.toString('utf8')
  return text.toString('hex').slice(1).replace('f', '').replace('a', 'X')
}
