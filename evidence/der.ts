/**
 * Strict DER (X.690 §10): one byte string per value. The ASN.1 library reads lengths and
 * tags leniently, which would let several texts pass as one certificate or token. Portable. @module
 */

/** Nesting beyond this is no certificate and no token, but an attack on the stack. */
const DEPTH_MAX = 32

/** One value with its parts; all byte arrays are views of the input. */
export interface Der {
  /** The identifier octet: 0x30 is SEQUENCE, 0x31 SET, 0xa0 the context tag 0 with parts. */
  readonly tag: number
  readonly content: Uint8Array
  /** Identifier, length and content. */
  readonly raw: Uint8Array
  /** Empty for primitive values. */
  readonly parts: readonly Der[]
}

/**
 * Parses exactly one value.
 *
 * @throws {Error} when the bytes are not DER; callers turn it into their own finding.
 */
export function parseDer(bytes: Uint8Array): Der {
  const value = readValue(bytes, 0, bytes.length, 0)
  if (value.raw.length !== bytes.length) throw new Error('expected one DER value, nothing after it')
  return value
}

function readValue(bytes: Uint8Array, start: number, limit: number, depth: number): Der {
  if (depth > DEPTH_MAX) throw new Error(`expected at most ${DEPTH_MAX} levels`)
  const tag = octet(bytes, start, limit)
  if ((tag & 0x1f) === 0x1f) throw new Error('expected a tag below 31')
  const { length, position: begin } = readLength(bytes, start + 1, limit)
  const end = begin + length
  if (end > limit) throw new Error('expected a length within the value')
  const content = bytes.subarray(begin, end)
  const parts: Der[] = []
  if ((tag & 0x20) === 0) checkPrimitive(tag, content)
  // X.690 §10.2: strings are primitive, so of the universal types only SEQUENCE and SET have parts.
  else if (tag !== 0x30 && tag !== 0x31 && tag < 0x40)
    throw new Error('expected a primitive string')
  else {
    for (let position = begin; position < end;) {
      const part = readValue(bytes, position, end, depth + 1)
      parts.push(part)
      position += part.raw.length
    }
  }
  return { tag, content, raw: bytes.subarray(start, end), parts }
}

/** X.690 §10.1: definite, in the fewest octets. */
function readLength(
  bytes: Uint8Array,
  start: number,
  limit: number,
): { length: number; position: number } {
  const first = octet(bytes, start, limit)
  if (first < 0x80) return { length: first, position: start + 1 }
  const count = first & 0x7f
  if (count === 0 || count > 4) throw new Error('expected a definite length')
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + octet(bytes, start + i, limit)
  if (length < 0x80 || length < 256 ** (count - 1)) throw new Error('expected the shortest length')
  return { length, position: start + 1 + count }
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
  // A primitive SEQUENCE or SET would hide its parts.
  if (tag === 0x10 || tag === 0x11) throw new Error('expected a constructed SEQUENCE or SET')
}

function octet(bytes: Uint8Array, position: number, limit: number): number {
  const value = position < limit ? bytes[position] : undefined
  if (value === undefined) throw new Error('expected more bytes')
  return value
}

/**
 * The parts of a value with this tag.
 *
 * @throws {Error} when the tag or the number of parts is another.
 */
export function takeParts(
  value: Der | undefined,
  tag: number,
  countMin: number,
  countMax = countMin,
): readonly Der[] {
  if (value?.tag !== tag || value.parts.length < countMin || value.parts.length > countMax) {
    throw new Error(`expected ${countMin} to ${countMax} values in tag ${tag.toString(16)}`)
  }
  return value.parts
}

/** The content of a primitive value with this tag. @throws {Error} */
export function takeContent(value: Der | undefined, tag: number): Uint8Array {
  if (value?.tag !== tag) throw new Error(`expected tag ${tag.toString(16)}`)
  return value.content
}

/** A non-negative INTEGER. @throws {Error} */
export function takeInteger(value: Der | undefined): bigint {
  const content = takeContent(value, 0x02)
  if (((content[0] ?? 0x80) & 0x80) !== 0) throw new Error('expected no negative number')
  return content.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

/** The dotted text of an OBJECT IDENTIFIER (X.690 §8.19). @throws {Error} */
export function takeOid(value: Der | undefined): string {
  const content = takeContent(value, 0x06)
  const arcs: bigint[] = []
  let arc = 0n
  let begun = false
  for (const byte of content) {
    if (!begun && byte === 0x80) throw new Error('expected the shortest arc')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    begun = (byte & 0x80) !== 0
    if (!begun) {
      arcs.push(arc)
      arc = 0n
    }
  }
  const [first, ...rest] = arcs
  if (first === undefined || begun) throw new Error('expected an object identifier')
  const top = first < 80n ? first / 40n : 2n
  return [top, first - top * 40n, ...rest].join('.')
}

/** The identifier of an AlgorithmIdentifier whose parameters are absent or NULL. @throws {Error} */
export function takeAlgorithm(value: Der | undefined): string {
  const [id, parameters] = takeParts(value, 0x30, 1, 2)
  if (parameters !== undefined) takeContent(parameters, 0x05)
  return takeOid(id)
}

/**
 * Whether the bytes are an ECDSA-Sig-Value (RFC 3279 §2.2.3): a SEQUENCE of two INTEGERs, in DER.
 * The library copies a longer second number over the end of the first.
 *
 * @param size octets of a number of the curve.
 */
export function isEcdsaValue(bytes: Uint8Array, size: number): boolean {
  try {
    const numbers = takeParts(parseDer(bytes), 0x30, 2).map(takeInteger)
    return numbers.every((number) => number < 1n << BigInt(8 * size))
  } catch {
    return false // Not DER at all.
  }
}

/** Writes one value from its contents, which for a constructed tag are values themselves. */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | octets.length, ...octets]
  return concat([Uint8Array.from(header), ...contents])
}

/** An OBJECT IDENTIFIER from its dotted text (X.690 §8.19). */
export function writeOid(dotted: string): Uint8Array {
  const [top = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [top * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) + 128)
    }
    return groups
  })
  return writeDer(0x06, Uint8Array.from(octets))
}

/** Joins byte strings. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => {
    bytes.set(part, at)
    return at + part.length
  }, 0)
  return bytes
}

/** A copy in an ArrayBuffer of its own: what the ASN.1 libraries take. */
export function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
