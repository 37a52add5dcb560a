/**
 * What became of uploads. That one is complete is durable before anything of it leaves: whatever happens
 * then, its caller never learns "no such upload" and sends it all again. @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import { writeFileDurably } from '../../evidence/durable.ts'
import type { Outcome } from '../../evidence/record.ts'

/** How one upload ended. Nothing in it comes from a message. */
export interface UploadEnd {
  readonly party: string
  readonly recipient: string
  /** Its record. */
  readonly rid: string
  /** Bytes that had come. */
  readonly length: number
  /** Whether it was complete, so that something may have reached the recipient. */
  readonly complete: boolean
  /** As the record says; `unknown` also while it is relayed. */
  readonly outcome: Outcome['result']
  /** What the caller was answered, or would have been. */
  readonly status?: number
  readonly recipientStatus?: number
  readonly problem?: ProblemSlug
  readonly endedMs: number
}

/** The ends that are remembered. */
export interface Ends {
  find(id: string): UploadEnd | undefined
  /**
   * Notes that an upload is complete; durable when it resolves.
   *
   * @throws {Problem} `evidence-unavailable`
   */
  promise(id: string, end: UploadEnd): Promise<void>
  /** Notes how it ended, beyond a restart if it was promised. */
  put(id: string, end: UploadEnd): void
  /** Takes a promise back: nothing had left. */
  withdraw(id: string): Promise<void>
  /** Resolves when all is written. */
  close(): Promise<void>
}

/** What ends are kept by. */
export interface EndsOptions {
  readonly folder: string
  readonly clock: Clock
  readonly ageMsMax: number
  /** Ends of one party; the oldest goes first. */
  readonly countMax: number
  readonly report: (error: unknown) => void
}

const NAME = /^([0-9a-f]{32})\.json$/

/** Opens the folder and reads what is in it. */
export function openEnds({ folder, clock, ageMsMax, countMax, report }: EndsOptions): Ends {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const byParty = new Map<string, Map<string, UploadEnd>>()
  const writing = new Set<Promise<void>>()
  const pathOf = (id: string) => join(folder, `${id}.json`)
  const isOld = ({ endedMs }: UploadEnd) => endedMs + ageMsMax < Number(clock.wallUs() / 1000n)

  function later(work: Promise<void>): void {
    const settled: Promise<void> = work.catch(report).finally(() => writing.delete(settled))
    writing.add(settled)
  }

  function keep(id: string, end: UploadEnd): void {
    const ends = byParty.get(end.party) ?? new Map<string, UploadEnd>()
    byParty.set(end.party, ends)
    ends.delete(id) // Set anew, it is the newest.
    ends.set(id, end)
    for (const [oldest, each] of ends) {
      if (ends.size <= countMax && !isOld(each)) break
      ends.delete(oldest)
      if (each.complete) later(removeFile(pathOf(oldest)))
    }
  }

  const write = (id: string, end: UploadEnd) =>
    writeFileDurably(pathOf(id), JSON.stringify(end), 0o600, 'replace')

  for (const [id, end] of readEnds(folder)) {
    if (isOld(end)) rmSync(pathOf(id))
    else keep(id, end)
  }
  return {
    find: (id) => {
      for (const ends of byParty.values()) {
        const end = ends.get(id)
        if (end !== undefined) return isOld(end) ? undefined : end
      }
      return undefined
    },
    promise: async (id, end) => {
      try {
        await write(id, end)
      } catch (cause) {
        throw new Problem('evidence-unavailable', 'that the upload is complete cannot be kept', { cause }) // prettier-ignore
      }
      keep(id, end)
    },
    put: (id, end) => {
      keep(id, end)
      if (end.complete) later(write(id, end))
    },
    withdraw: async (id) => {
      for (const ends of byParty.values()) ends.delete(id)
      await removeFile(pathOf(id))
    },
    close: async () => {
      await Promise.all(writing)
    },
  }
}

/** Oldest first; what is no end, such as half of one that a crash left, is removed. */
function readEnds(folder: string): readonly (readonly [string, UploadEnd])[] {
  const found: (readonly [string, UploadEnd])[] = []
  for (const name of readdirSync(folder)) {
    const id = NAME.exec(name)?.[1]
    const end = id === undefined ? undefined : parseEnd(readFileSync(join(folder, name), 'utf8'))
    if (id === undefined || end === undefined) rmSync(join(folder, name))
    else found.push([id, end])
  }
  return found.toSorted(([, a], [, b]) => a.endedMs - b.endedMs)
}

function parseEnd(text: string): UploadEnd | undefined {
  try {
    const end = JSON.parse(text) as UploadEnd | null
    const texts = [end?.party, end?.recipient, end?.rid, end?.outcome]
    const numbers = [end?.length, end?.endedMs]
    const fits = texts.every((each) => typeof each === 'string') && numbers.every(Number.isInteger)
    return fits && end !== null ? end : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
