/**
 * Bytes as lower-case letters. A digit run inside a token could be taken for a phone or card number,
 * and a bank's database may fold case; letters of one case survive both. @module
 */

const LETTER_A = 97
/** 7 bytes are 4 groups of 14 bits; 26³ = 17,576 ≥ 2¹⁴, so 3 letters hold a group. */
export const LETTERS_BLOCK_BYTES = 7
/** What LETTERS_BLOCK_BYTES become. */
export const LETTERS_BLOCK = 12

/** @param bytes a multiple of 7 of them. @returns 12 letters for each 7 bytes. */
export function toLetters(bytes: Uint8Array): string {
  const letters = Buffer.allocUnsafe((bytes.length / LETTERS_BLOCK_BYTES) * LETTERS_BLOCK)
  let out = 0
  let bits = 0
  let held = 0
  for (let at = 0; at < bytes.length; at++) {
    held = ((held << 8) | (bytes[at] as number)) & 0x3fffff // At most 13 old bits and 8 new ones.
    bits += 8
    if (bits < 14) continue
    bits -= 14
    const group = held >>> bits
    held &= (1 << bits) - 1
    letters[out++] = LETTER_A + Math.floor(group / 676)
    letters[out++] = LETTER_A + (Math.floor(group / 26) % 26)
    letters[out++] = LETTER_A + (group % 26)
  }
  return letters.toString('latin1')
}

/** @returns undefined unless the text is what `toLetters` writes, in its one spelling. */
export function fromLetters(text: string): Buffer | undefined {
  if (text.length % LETTERS_BLOCK !== 0) return undefined
  const bytes = Buffer.allocUnsafe((text.length / LETTERS_BLOCK) * LETTERS_BLOCK_BYTES)
  let out = 0
  let bits = 0
  let held = 0
  for (let index = 0; index < text.length; index += 3) {
    let group = 0
    for (let letter = index; letter < index + 3; letter++) {
      const value = text.charCodeAt(letter) - LETTER_A
      if (value < 0 || value > 25) return undefined
      group = group * 26 + value
    }
    if (group >= 1 << 14) return undefined
    held = (held << 14) | group // At most 7 old bits and 14 new ones.
    for (bits += 14; bits >= 8;) {
      bits -= 8
      bytes[out++] = held >>> bits
      held &= (1 << bits) - 1
    }
  }
  return bytes
}
