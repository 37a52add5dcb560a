/** Tells an encrypted value by its form: its random parts are nobody's number, whatever they look like. @module */

/** Five parts of base64url: the header begins with `{"`, the key and the text may be empty. */
const COMPACT = /^(eyJ[\w-]+)\.([\w-]*)\.([\w-]{16})\.([\w-]*)\.([\w-]{22})$/
/** A coordinate on P-256 … P-521 (RFC 7518 §6.2.1.2). */
const COORDINATE = /^[\w-]{43,88}$/
/** As long as a mobile number: no cipher writes a part of so many digits and nothing else. */
const DIGITS = /^\d{11,}$/

/**
 * Reads a compact JWE (RFC 7516 §7.1) as `encrypt: recipient` writes it: its header is an object with `alg`
 * and `enc`, `A256GCM` at that, which makes a nonce of 96 and a tag of 128 bits; all is spelt canonically.
 *
 * @returns the same with the random members of the header beside it, no longer in it: what any part
 *   decodes to can be looked at, and none of it is to be read as it stands. Undefined when it is no JWE.
 */
export function openJwe(text: string): string | undefined {
  const [, head = '', ...parts] = COMPACT.exec(text) ?? []
  if (head === '' || ![head, ...parts].every(isCanonical)) return undefined
  const header = readObject(Buffer.from(head, 'base64url').toString('utf8'))
  if (typeof header?.['alg'] !== 'string' || header['enc'] !== 'A256GCM') return undefined
  const random: string[] = []
  const rest = JSON.stringify(header, (name, value: unknown) => {
    const isRandom = /^[xy]$/.test(name) && typeof value === 'string' && COORDINATE.test(value)
    if (!isRandom || !isCanonical(value)) return value
    random.push(value)
    return undefined
  })
  if ([...random, ...parts].some((part) => DIGITS.test(part))) return undefined
  return [Buffer.from(rest).toString('base64url'), ...random, ...parts].join('.')
}

/** Unused bits would carry something else (RFC 4648 §3.5). */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

/** A second member of one name would go unseen. */
function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || JSON.stringify(value) !== text) return
    return { ...value }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
