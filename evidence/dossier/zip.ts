/**
 * The container: a zip (APPNOTE 6.3) that can be written in one way only. Names ascend, every file is
 * stored, no time, comment, folder or extra field. A reader makes the zip anew from what it found and
 * compares: whatever a zip could hide or say twice is a difference. Portable. @module
 */
import { unzipSync, zipSync } from 'fflate'
import { Problem } from '../../base/problem.ts'
import { DOSSIER_BYTES_MAX, DOSSIER_FILES_MAX, NAME_BYTES_MAX } from './limits.ts'

/** Name → bytes. */
export type Files = ReadonlyMap<string, Uint8Array>

/** End of central directory record without a comment (APPNOTE §4.3.16). */
const END_BYTES = 22
const END_SIGNATURE = 0x06054b50
/** At most three segments, none of which begins with a dot: no way out of a folder. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}$/

/** Writes the one zip that holds these files. */
export function writeZip(files: Files): Uint8Array {
  const sorted = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))
  // fflate writes local time, and this is the earliest that a zip can say, in every time zone.
  return zipSync(Object.fromEntries(sorted), { level: 0, mtime: new Date(1980, 0, 1) })
}

/**
 * Reads a zip that `writeZip` made; nothing is decompressed, so nothing can expand.
 *
 * @throws {Problem} `request-malformed` naming what is wrong with the container.
 */
export function readZip(bytes: Uint8Array): Files {
  // Attacker-controlled: all of it.
  checkEnd(bytes)
  const names = new Set<string>()
  let total = 0
  const look = ({ name, size, originalSize, compression }: EntryInfo): boolean => {
    if (!NAME.test(name) || name.length > NAME_BYTES_MAX) throw malformed('a name that no dossier has') // prettier-ignore
    if (names.has(name)) throw malformed(`\`${name}\` twice`)
    if (compression !== 0) throw malformed(`\`${name}\` compressed; a dossier stores its files`)
    names.add(name)
    total += size
    if (size !== originalSize || total > bytes.length) throw malformed(`\`${name}\` with a false size`) // prettier-ignore
    return true
  }
  let found: Record<string, Uint8Array>
  try {
    found = unzipSync(bytes, { filter: look })
  } catch (error) {
    if (error instanceof Problem) throw error
    throw malformed('what is no zip', error)
  }
  const files = new Map(Object.entries(found))
  const again = writeZip(files)
  if (Buffer.from(again.buffer, again.byteOffset, again.length).equals(bytes)) return files
  const at = firstDifference(again, bytes)
  throw malformed(`something at byte ${at} that its files do not account for`)
}

interface EntryInfo {
  readonly name: string
  readonly size: number
  readonly originalSize: number
  readonly compression: number
}

/** Whether bytes begin as a zip does; all else is for `readZip` to say. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b
}

/** Looked at before the library is: a false count would make it walk for minutes. */
function checkEnd(bytes: Uint8Array): void {
  if (bytes.length > DOSSIER_BYTES_MAX) {
    throw malformed(`${bytes.length} bytes, more than ${DOSSIER_BYTES_MAX}`)
  }
  const start = bytes.length - END_BYTES
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (start < 0 || view.getUint32(start, true) !== END_SIGNATURE) {
    throw malformed('no end of a zip in its last 22 bytes')
  }
  const count = view.getUint16(start + 10, true)
  if (count > DOSSIER_FILES_MAX) throw malformed(`more than ${DOSSIER_FILES_MAX} files`)
  if (view.getUint32(start + 16, true) > start) throw malformed('a false place of its directory')
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

function malformed(what: string, cause?: unknown): Problem {
  return new Problem('request-malformed', `the zip holds ${what}`, { cause })
}
