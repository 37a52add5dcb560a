/** UUID version 7 (RFC 9562 §5.7): sortable by time, random otherwise. @module */

/**
 * Makes a UUIDv7 in lower-case text form.
 *
 * @param wallMs milliseconds since the Unix epoch, 48 bits.
 * @param random at least 10 random bytes; the first 10 are used.
 */
export function uuidv7(wallMs: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(wallMs, 0, 6)
  bytes.set(random.subarray(0, 10), 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A UUID in that form. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
