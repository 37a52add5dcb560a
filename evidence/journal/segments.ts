/** The journal's files: segments, numbered without holes. @module */
import { Problem } from '../../base/problem.ts'
import { decodeEntries, encodeEntry, type Entry } from './entry.ts'
import type { Files } from './files.ts'

/** An entry as found at start. */
export interface FoundEntry extends Entry {
  readonly segment: number
  /** In the newest segment: perhaps never synced, and not durable before it is written again. */
  readonly newest: boolean
}

/** Makes a segment whose first entry is durable. */
export async function createSegment(files: Files, number: number, opening: () => Entry) {
  const frame = encodeEntry(opening())
  const file = await files.create(segmentName(number))
  await file.write(frame, 0)
  await files.syncFolder() // Without it a crash may leave the synced bytes without a name.
  return { file, position: frame.length }
}

/** The name of a segment's file. */
export const segmentName = (number: number) => `${String(number).padStart(10, '0')}.seg`

/** All segments, oldest first. @throws {Problem} `evidence-unavailable` when one in between is missing. */
export function listSegments(files: Files): number[] {
  const names = files.list().filter((name) => /^[0-9]{10}\.seg$/.test(name))
  const numbers = names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b)
  numbers.forEach((number, index) => {
    if (index > 0 && number !== (numbers[index - 1] ?? 0) + 1) {
      throw damaged(segmentName(number - 1), 'is missing')
    }
  })
  return numbers
}

/**
 * Cuts off what no whole entry is: a torn write, and zeros that were ahead of it. A segment without one
 * entry was never begun: `createSegment` did not return.
 *
 * @returns the bytes of the torn write.
 */
export async function cutTornTail(files: Files, name: string): Promise<number> {
  const bytes = files.read(name)
  const { end } = decodeEntries(bytes)
  const file = await files.open(name)
  try {
    // What a killed process wrote may not have reached the disk; it must before anybody acts on it.
    await (end < bytes.length ? file.truncate(end) : file.sync())
  } finally {
    await file.close()
  }
  let tornEnd = bytes.length
  while (tornEnd > end && bytes[tornEnd - 1] === 0) tornEnd--
  return tornEnd - end
}

/** All entries in order. @throws {Problem} `evidence-unavailable` for a damaged one that was durable. */
export function* readSegments(files: Files, segments: readonly number[]): Iterable<FoundEntry> {
  for (const segment of segments) {
    const bytes = files.read(segmentName(segment))
    const { entries, end } = decodeEntries(bytes)
    const newest = segment === segments.at(-1)
    if (end < bytes.length && !newest) throw damaged(segmentName(segment), `is damaged at byte ${end}`) // prettier-ignore
    for (const entry of entries) yield { ...entry, segment, newest }
  }
}

function damaged(name: string, how: string): Problem {
  return new Problem(
    'evidence-unavailable',
    `the journal segment \`${name}\` ${how}: keep all files and restore it from a copy of the disk`,
  )
}
