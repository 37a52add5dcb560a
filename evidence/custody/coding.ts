/**
 * The content coding `aes128gcm` (RFC 8188): encrypts record by record, so that neither side ever has
 * all of a long body in memory, and a body that breaks off can be told from a whole one. @module
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { Problem } from '../../base/problem.ts'
import { CODED_RECORD_BYTES, CODED_RECORD_BYTES_MAX } from '../limits.ts'

const SALT_BYTES = 16
const TAG_BYTES = 16
/** RFC 8188 §2.1: salt, record size, length of the key's name, which is empty here. */
const HEAD_BYTES = SALT_BYTES + 5
/** RFC 8188 §2: what ends the text of the last record, and of any other one. */
const LAST = 2
const MORE = 1

/** Encrypts one body. */
export interface Encoder {
  /** @returns what is complete; the head comes with the first of it. */
  write(bytes: Uint8Array): Buffer
  /** Nothing more will come. @returns the last record. */
  end(): Buffer
}

/**
 * Starts a body.
 *
 * @param secret what both keys are derived from; salt and secret together MUST be of one body alone.
 * @param recordBytes of one record, with its delimiter and tag.
 */
export function startEncoder(
  secret: Uint8Array,
  salt: Uint8Array = randomBytes(SALT_BYTES),
  recordBytes = CODED_RECORD_BYTES,
): Encoder {
  const keys = deriveKeys(secret, salt)
  const text = Buffer.alloc(recordBytes - TAG_BYTES)
  const textMax = text.length - 1
  let size = 0
  let count = 0
  let head: Buffer | undefined = headOf(salt, recordBytes)
  const seal = (delimiter: number): Buffer[] => {
    text[size] = delimiter
    const cipher = createCipheriv('aes-128-gcm', keys.key, nonceOf(keys, count++))
    const sealed = cipher.update(text.subarray(0, size + 1))
    cipher.final()
    size = 0
    const parts = head === undefined ? [] : [head]
    head = undefined
    return [...parts, sealed, cipher.getAuthTag()]
  }
  return {
    write: (bytes) => {
      const done: Buffer[] = []
      for (let at = 0; at < bytes.length;) {
        // Whether a full record is the last one shows only when more comes.
        if (size === textMax) done.push(...seal(MORE))
        const part = bytes.subarray(at, at + textMax - size)
        text.set(part, size)
        size += part.length
        at += part.length
      }
      return Buffer.concat(done)
    },
    end: () => Buffer.concat(seal(LAST)),
  }
}

/**
 * Decrypts a body, record by record.
 *
 * @throws {Problem} `key-unusable` for another key or changed bytes; `body-malformed` for a body that
 *   breaks off, after all that is whole of it.
 */
export async function* decodeRecords(
  source: AsyncIterable<Buffer>,
  secret: Uint8Array,
): AsyncGenerator<Buffer> {
  // Attacker-controlled: all of it, record by record, until its tag is checked.
  let rest: Buffer = Buffer.alloc(0)
  let head: Head | undefined
  let count = 0
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (head === undefined) {
      head = readHead(rest, secret)
      if (head === undefined) continue
      rest = rest.subarray(head.length)
    }
    const { recordBytes } = head
    for (; rest.length > recordBytes; rest = rest.subarray(recordBytes)) {
      const { text, isLast } = openRecord(head, count++, rest.subarray(0, recordBytes))
      if (isLast) throw new Problem('body-malformed', 'bytes follow the end of the file')
      yield text
    }
  }
  if (head === undefined || rest.length === 0) throw breaksOff()
  const { text, isLast } = openLast(head, count, rest)
  yield text
  if (!isLast) throw breaksOff()
}

interface Keys {
  readonly key: Buffer
  readonly nonce: Buffer
}

/** RFC 8188 §2.2 and §2.3. */
function deriveKeys(secret: Uint8Array, salt: Uint8Array): Keys {
  const derive = (name: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, salt, `Content-Encoding: ${name}\0`, length))
  return { key: derive('aes128gcm', 16), nonce: derive('nonce', 12) }
}

/** INVARIANT: no body has 2^32 records. */
function nonceOf({ nonce }: Keys, count: number): Buffer {
  const bytes = Buffer.from(nonce)
  bytes.writeUInt32BE((bytes.readUInt32BE(8) ^ count) >>> 0, 8)
  return bytes
}

function headOf(salt: Uint8Array, recordBytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.set(salt)
  head.writeUInt32BE(recordBytes, SALT_BYTES)
  return head
}

interface Head extends Keys {
  readonly recordBytes: number
  readonly length: number
}

/** @returns undefined when it is not all there. */
function readHead(bytes: Buffer, secret: Uint8Array): Head | undefined {
  const length = HEAD_BYTES + (bytes[HEAD_BYTES - 1] ?? 0)
  if (bytes.length < length) return undefined
  const recordBytes = bytes.readUInt32BE(SALT_BYTES)
  if (recordBytes <= TAG_BYTES + 1 || recordBytes > CODED_RECORD_BYTES_MAX) {
    throw new Problem(
      'body-malformed',
      `expected records of at most ${CODED_RECORD_BYTES_MAX} bytes`,
    )
  }
  return { ...deriveKeys(secret, bytes.subarray(0, SALT_BYTES)), recordBytes, length }
}

interface OpenedRecord {
  readonly text: Buffer
  readonly isLast: boolean
}

function openRecord(keys: Keys, count: number, record: Buffer): OpenedRecord {
  const textEnd = Math.max(0, record.length - TAG_BYTES)
  let text: Buffer
  try {
    const decipher = createDecipheriv('aes-128-gcm', keys.key, nonceOf(keys, count))
    decipher.setAuthTag(record.subarray(textEnd))
    text = Buffer.concat([decipher.update(record.subarray(0, textEnd)), decipher.final()])
  } catch (cause) {
    throw new Problem('key-unusable', 'the key does not open the file, or its bytes were changed', { cause }) // prettier-ignore
  }
  let end = text.length - 1
  while (end > 0 && text[end] === 0) end--
  const delimiter = text[end]
  if (delimiter === LAST || delimiter === MORE) return { text: text.subarray(0, end), isLast: delimiter === LAST } // prettier-ignore
  throw new Problem('body-malformed', 'a record of the file has no end')
}

/** A crash cuts a record off; that does not look like another key, when the one before was opened. */
function openLast(head: Head, count: number, record: Buffer): OpenedRecord {
  try {
    return openRecord(head, count, record)
  } catch (error) {
    throw count > 0 && record.length < head.recordBytes ? breaksOff() : error
  }
}

function breaksOff(): Problem {
  return new Problem('body-malformed', 'the file breaks off')
}
