/** Format-preserving tokens: a keyed permutation of the numbers of a format (FF1, cycle walking). @module */
import { deriveKey, type Domain } from './domain.ts'
import { createFf1, type Ff1 } from './ff1.ts'
import type { Format } from './format.ts'
import type { KeyRing } from './ring.ts'

const KEY_BYTES = 32
const RADIX = 10

/** Swaps a value and its token in one domain. */
export interface FormatCipher {
  /** @returns undefined when the value is not of the format. */
  mint(clear: string): string | undefined
  /** @returns undefined when the text is not a token, or no value has it. */
  reveal(token: string): string | undefined
}

/**
 * Prepares formats in one domain; a value takes the first that it is of. The tokens have no room for
 * a version, so the ring's oldest accepted key makes them: they stay until that key is retired.
 */
export function createFormatCipher(
  ring: KeyRing,
  domain: Domain,
  formats: readonly Format[],
): FormatCipher {
  const prepared = new Map<Format, Ff1>()
  const prepare = (format: Format): Ff1 => {
    const kind = `${domain.kind} ${format.name}`
    const key = deriveKey(ring.oldest, { ...domain, kind }, 'format', KEY_BYTES)
    const ff1 = createFf1(key, RADIX, (format.size - 1n).toString().length)
    prepared.set(format, ff1)
    return ff1
  }
  return {
    mint(clear) {
      for (const format of formats) {
        const rank = format.rank(clear)
        if (rank === undefined) continue
        const { encrypt } = prepared.get(format) ?? prepare(format)
        return format.write(walk(encrypt, rank, format.size))
      }
      return undefined
    },
    reveal(token) {
      for (const format of formats) {
        const number = format.read(token)
        if (number === undefined) continue
        const { decrypt } = prepared.get(format) ?? prepare(format)
        return format.unrank(walk(decrypt, number, format.size))
      }
      return undefined
    },
  }
}

/** Permutes until the result is below `size` again, as the start was: a permutation of the smaller domain. */
function walk(permute: Ff1['encrypt'], number: bigint, size: bigint): bigint {
  let result = permute(number)
  while (result >= size) result = permute(result)
  return result
}
