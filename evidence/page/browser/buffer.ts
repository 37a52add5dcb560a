/** `Buffer` for the verifier page: the package `buffer`, with what Node's has and it lacks. @module */
import { Buffer as Portable } from 'buffer/'

const from = Portable.from.bind(Portable) as (...values: unknown[]) => Portable
const { toString: toEncoded, equals } = Portable.prototype

/** Reads base64url as base64; readers of ours encode again and compare, so no laxness stays. */
function fromAny(value: unknown, encoding?: unknown, length?: unknown): Portable {
  if (typeof value !== 'string' || encoding !== 'base64url') return from(value, encoding, length)
  return from(value.replaceAll('-', '+').replaceAll('_', '/'), 'base64')
}

function toText(this: Portable, encoding?: string, start?: number, end?: number): string {
  if (encoding !== 'base64url') return toEncoded.call(this, encoding, start, end)
  const text = toEncoded.call(this, 'base64', start, end)
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Node compares with any byte array. */
function equalsAny(this: Portable, other: Uint8Array): boolean {
  return equals.call(this, from(other.buffer, other.byteOffset, other.length))
}

Object.assign(Portable, { from: fromAny })
Object.assign(Portable.prototype, { toString: toText, equals: equalsAny })

export { Portable as Buffer }
