/**
 * Strict DER (X.690 §10): one byte string per value. The ASN.1 library reads lengths leniently,
 * which would let several texts pass as one certificate or one token. Portable. @module
 */
import * as asn1 from 'asn1js'

/** Nesting beyond this is no certificate and no token, but an attack on the stack. */
const DEPTH_MAX = 32

/**
 * Parses exactly one DER value.
 *
 * @throws {Error} when the bytes are not DER; callers turn it into their own finding.
 */
export function parseDer(bytes: Uint8Array): asn1.AsnType {
  const end = readValue(bytes, 0, bytes.length, 0)
  if (end !== bytes.length) throw new Error('expected one DER value and nothing after it')
  const { offset, result } = asn1.fromBER(bytes)
  if (offset === -1) throw new Error('expected DER')
  return result
}

/** Whether the bytes are an ECDSA-Sig-Value (RFC 3279 §2.2.3): a SEQUENCE of two INTEGERs, in DER. */
export function isEcdsaValue(bytes: Uint8Array): boolean {
  try {
    const value = parseDer(bytes)
    const parts = value instanceof asn1.Sequence ? value.valueBlock.value : []
    const integers = parts.filter(
      ({ idBlock }) => idBlock.tagClass === 1 && idBlock.tagNumber === 2,
    )
    return parts.length === 2 && integers.length === 2
  } catch {
    return false // Not DER at all.
  }
}

/** Checks one value that must end at or before `limit`. @returns where it ends. */
function readValue(bytes: Uint8Array, start: number, limit: number, depth: number): number {
  if (depth > DEPTH_MAX) throw new Error(`expected at most ${DEPTH_MAX} levels`)
  const tag = octet(bytes, start, limit)
  if ((tag & 0x1f) === 0x1f) throw new Error('expected a tag below 31')
  let position = start + 1
  let length = octet(bytes, position++, limit)
  if (length >= 0x80) {
    const count = length & 0x7f
    if (count === 0 || count > 4) throw new Error('expected a definite length')
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + octet(bytes, position++, limit)
    if (length < 0x80 || length < 256 ** (count - 1))
      throw new Error('expected the shortest length')
  }
  const end = position + length
  if (end > limit) throw new Error('expected a length within the value')
  if ((tag & 0x20) === 0) {
    checkPrimitive(tag, bytes.subarray(position, end))
    return end
  }
  while (position < end) position = readValue(bytes, position, end, depth + 1)
  return end
}

/** X.690 §8.3.2, §10.2, §11.1, §11.2: the universal types that have more than one BER spelling. */
function checkPrimitive(tag: number, content: Uint8Array): void {
  const [first = 0, second = 0] = content
  if (tag === 0x01 && (content.length !== 1 || (first !== 0 && first !== 0xff))) {
    throw new Error('expected a BOOLEAN of 00 or ff')
  }
  if (tag === 0x02 || tag === 0x0a) {
    const padded =
      content.length > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)
    if (content.length === 0 || padded) throw new Error('expected the shortest INTEGER')
  }
  if (tag === 0x03) {
    const last = content.length > 1 ? (content.at(-1) ?? 0) : 0
    if (content.length === 0 || first > 7 || (last & ((1 << first) - 1)) !== 0) {
      throw new Error('expected a BIT STRING padded with zeros')
    }
  }
  if (tag === 0x05 && content.length !== 0) throw new Error('expected an empty NULL')
  // SEQUENCE and SET are always constructed; a primitive one would hide its content from us.
  if (tag === 0x10 || tag === 0x11) throw new Error('expected a constructed SEQUENCE or SET')
}

function octet(bytes: Uint8Array, position: number, limit: number): number {
  const value = position < limit ? bytes[position] : undefined
  if (value === undefined) throw new Error('expected more bytes')
  return value
}
