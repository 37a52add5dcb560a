/** An append-only, group-committed file of entries: what stands in it before anything is relayed. @module */
import { Problem } from '../../base/problem.ts'
import { type Ahead, startAhead } from './ahead.ts'
import { encodeEntry, type Entry } from './entry.ts'
import type { Files, OpenFile } from './files.ts'
import {
  AHEAD_BYTES,
  BATCH_BYTES_MAX,
  BUSY_TURN_MS,
  GATHER_MS_MAX,
  LATER_MS,
  SEGMENT_BYTES_MAX,
} from './limits.ts'
import {
  createSegment,
  cutTornTail,
  type FoundEntry,
  listSegments,
  readSegments,
  segmentName,
} from './segments.ts'

/** Called once: with the segment that holds the entry durably, or with why it is not durable. */
export type Appended = (problem: Problem | undefined, segment: number) => void

/** The open journal of one process. */
export interface Journal {
  /**
   * Appends an entry. All that is appended while a write is under way goes with the next one,
   * made durable at once; the callbacks of a batch run together, in order, before the next write.
   *
   * @param urgency `later` for what nobody waits for: it goes with the next entry that somebody
   *   waits for, or after LATER_MS.
   */
  append(entry: Entry, appended: Appended, urgency?: 'now' | 'later'): void
  /** Why nothing can be appended any more; only a restart helps. */
  failure(): Problem | undefined
  /** Resolves when nothing waits to be written, or the journal has failed. */
  flush(): Promise<void>
  /** Removes all segments before this one, but never the active one. */
  removeBefore(segment: number): Promise<void>
  /** Waits for what was appended, then lets the folder go. */
  close(): Promise<void>
}

/** What a journal holds when it is opened, before anything is appended. */
export interface FoundJournal {
  entries(): Iterable<FoundEntry>
  /** Bytes of a torn last write that were cut off; nothing in them was ever acknowledged. */
  readonly tornBytes: number
  /**
   * Begins a new segment, so that no file which may have met a failed fsync is written again.
   *
   * @param opening makes the first entry of each segment, at the time it begins.
   * @param failed called once, when nothing can be appended any more.
   */
  start(opening: () => Entry, failed: (problem: Problem) => void): Promise<Journal>
  /** Lets the folder go without starting. */
  abandon(): void
}

interface Waiting {
  readonly frame: Buffer
  readonly appended: Appended
  readonly urgent: boolean
}

interface State {
  readonly files: Files
  readonly segmentBytesMax: number
  readonly aheadBytes: number
  readonly opening: () => Entry
  readonly failed: (problem: Problem) => void
  readonly release: () => void
  segments: number[]
  active: { readonly number: number; readonly file: OpenFile; readonly ahead: Ahead }
  position: number
  waiting: Waiting[]
  later: NodeJS.Timeout | undefined
  /** When the last write began, and whether several callers waited for it. */
  begunMs: number
  crowded: boolean
  running: Promise<void> | undefined
  removing: Promise<void>
  failure: Problem | undefined
}

/**
 * Opens a folder's journal: takes the lock, cuts a torn tail off the newest segment.
 *
 * @throws {Problem} `evidence-unavailable` when another process holds it, or an entry that was
 *   durable is damaged.
 */
export async function openJournal(
  files: Files,
  segmentBytesMax = SEGMENT_BYTES_MAX,
  aheadBytes = AHEAD_BYTES,
): Promise<FoundJournal> {
  const release = files.lock()
  try {
    const segments = listSegments(files)
    const newest = segments.at(-1)
    const tornBytes = newest === undefined ? 0 : await cutTornTail(files, segmentName(newest))
    return {
      tornBytes,
      entries: () => readSegments(files, segments),
      start: async (opening, failed) => {
        const number = (newest ?? 0) + 1
        const { file, position } = await createSegment(files, number, opening)
        return openState({
          files,
          segmentBytesMax,
          aheadBytes,
          opening,
          failed,
          release,
          segments: [...segments, number],
          active: { number, file, ahead: startAhead(file, aheadBytes, segmentBytesMax) },
          position,
          waiting: [],
          later: undefined,
          begunMs: Number.NEGATIVE_INFINITY,
          crowded: false,
          running: undefined,
          removing: Promise.resolve(),
          failure: undefined,
        })
      },
      abandon: release,
    }
  } catch (error) {
    release()
    throw error
  }
}

function openState(state: State): Journal {
  return {
    append: (entry, appended, urgency = 'now') => {
      if (state.failure !== undefined) return appended(state.failure, 0)
      state.waiting.push({ frame: encodeEntry(entry), appended, urgent: urgency === 'now' })
      if (urgency === 'now') start(state)
      else if (state.running === undefined) state.later ??= setTimeout(() => start(state), LATER_MS)
    },
    failure: () => state.failure,
    flush: async () => {
      if (state.waiting.length > 0) start(state)
      while (state.running !== undefined) await state.running
    },
    removeBefore: (segment) => {
      // Clamped now: by the time its turn comes, today's active segment may be an older one.
      const end = Math.min(segment, state.active.number)
      const done = state.removing.then(() => removeBefore(state, end))
      state.removing = done.catch(() => undefined) // The caller has the error; the next call retries.
      return done
    },
    close: async () => {
      if (state.waiting.length > 0) start(state)
      await state.running
      const isWell = state.failure === undefined
      state.failure ??= new Problem('evidence-unavailable', 'the journal is closed')
      // A file that may have met a failed sync is not touched again.
      if (isWell) await finish(state)
      await state.active.ahead.stop()
      await state.removing
      await state.active.file.close()
      state.release()
    },
  }
}

function start(state: State): void {
  clearTimeout(state.later)
  state.later = undefined
  state.running ??= run(state)
}

/** The one writer: one durable write at a time, until nothing waits. */
async function run(state: State): Promise<void> {
  while (state.waiting.length > 0) {
    await gather(state)
    const batch = takeBatch(state)
    state.begunMs = performance.now()
    state.crowded = batch.filter(({ urgent }) => urgent).length > 1
    try {
      await commit(
        state,
        batch.map(({ frame }) => frame),
      )
    } catch (cause) {
      fail(state, batch, cause)
      return
    }
    for (const { appended } of batch) appended(undefined, state.active.number)
  }
  state.running = undefined
}

/**
 * What is appended in this turn of the event loop shares a batch. While several callers wait for each
 * write and the loop has work, more turns go by: each write costs the processor as much as an exchange,
 * and what the loop works on may append too. An idle loop waits for nothing but the write.
 */
async function gather({ begunMs, crowded }: State): Promise<void> {
  let nowMs = performance.now()
  let turnMs: number
  do {
    const beforeMs = nowMs
    await new Promise((resolve) => setImmediate(resolve))
    nowMs = performance.now()
    turnMs = nowMs - beforeMs
  } while (crowded && turnMs > BUSY_TURN_MS && nowMs - begunMs < GATHER_MS_MAX)
}

async function commit(state: State, frames: readonly Buffer[]): Promise<void> {
  const bytes = Buffer.concat(frames)
  if (state.position + bytes.length > state.segmentBytesMax) await roll(state)
  const end = state.position + bytes.length
  await state.active.ahead.reach(end)
  await state.active.file.write(bytes, state.position)
  state.position = end
  state.active.ahead.reached(end)
}

/** Cuts off the zeros behind the last entry of a segment: only in the newest one may there be any. */
async function finish({ active, position }: State): Promise<void> {
  await active.ahead.stop()
  await active.file.truncate(position)
}

/**
 * Fails everything that waits and everything that comes. A failed fsync is never repeated: the
 * kernel may have dropped the dirty pages, and a second one would succeed without them.
 */
function fail(state: State, batch: readonly Waiting[], cause: unknown): void {
  const problem = new Problem(
    'evidence-unavailable',
    'the journal could not be written; the gateway must be restarted',
    { cause },
  )
  state.failure = problem
  const lost = [...batch, ...state.waiting]
  state.waiting = []
  state.running = undefined
  for (const { appended } of lost) appended(problem, 0)
  state.failed(problem)
}

function takeBatch(state: State): Waiting[] {
  let bytes = 0
  let count = 0
  for (const { frame } of state.waiting) {
    if (count > 0 && bytes + frame.length > BATCH_BYTES_MAX) break
    bytes += frame.length
    count += 1
  }
  return state.waiting.splice(0, count)
}

async function roll(state: State): Promise<void> {
  await finish(state)
  const number = state.active.number + 1
  const { file, position } = await createSegment(state.files, number, state.opening)
  await state.active.file.close()
  state.active = { number, file, ahead: startAhead(file, state.aheadBytes, state.segmentBytesMax) }
  state.position = position
  state.segments.push(number)
}

/** Oldest first and each one synced, so that a crash in between leaves no hole in the numbers. */
async function removeBefore(state: State, end: number): Promise<void> {
  let first = state.segments[0]
  while (first !== undefined && first < end) {
    await state.files.remove(segmentName(first))
    await state.files.syncFolder()
    state.segments.shift()
    first = state.segments[0]
  }
}
