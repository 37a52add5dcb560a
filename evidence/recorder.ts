/** The recorder: from the facts of an exchange to a sealed record that no crash loses. @module */
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { createChain, type Head, type Pending, type Sealed } from './chain.ts'
import type { RecordSecrets } from './commitment.ts'
import type { Custody } from './custody/custody.ts'
import { createKeeping } from './custody/keeping.ts'
import { createDelivery, type Delivered, type Delivery } from './delivery.ts'
import { createIntake, createTally, type IntakePorts, type Tally } from './intake.ts'
import type { Entry } from './journal/entry.ts'
import { nodeFiles, type Files } from './journal/files.ts'
import { openJournal, type Appended, type FoundJournal } from './journal/journal.ts'
import { createRetention } from './journal/retention.ts'
import { BACKLOG_RECORDS_MAX } from './limits.ts'
import type { JsonObject } from './draft.ts'
import type { Origin } from './payload.ts'
import { drawRandom, newRid } from './random.ts'
import type { Claim, Intent, Outcome, Recorder, RecordKind } from './record.ts'
import { recover, type Mark, type Recovered } from './recovery.ts'
import { FIRST_PREV, type SealKey } from './seal.ts'
import { draftKey, holdKey, type BoundKey } from './seal-key.ts'
import type { PersistShelved } from './shelf.ts'

/** What the recorder is made of. */
export interface RecorderOptions {
  /** The journal's folder, made when absent; one process at a time. */
  readonly folder: string
  /** The seal key of an instance, and the next one whenever the last passes its `renewAt`. */
  readonly identity: (instance: string) => Promise<SealKey>
  readonly secrets: RecordSecrets
  /** Where originals go when a policy says `custody: sealed`; without it such exchanges are refused. */
  readonly custody?: Custody
  readonly origin: Origin
  readonly persist: PersistShelved
  readonly clock: Clock
  /** Tells the operator; neither message nor error holds a value. */
  readonly alarm: (message: string, error?: unknown) => void
  /** Why nothing may be dated, besides a jump of the clock, which the recorder sees itself. */
  readonly hindrance?: () => Problem | undefined
  /** Records that may wait for the log before nothing more is accepted. */
  readonly backlogMax?: number
  /** The journal's file system and segment size, for tests. */
  readonly files?: Files
  readonly segmentBytesMax?: number
}

/** A recorder with what the operator asks it. */
export interface OpenRecorder extends Recorder {
  /**
   * Records an event that is not an exchange; resolves with its record id when durable.
   *
   * @param facts members of the payload, without personal data; `kind`, `rid`, `times` and the
   *   like are the recorder's own.
   * @throws {Problem} `evidence-unavailable`.
   */
  note(kind: RecordKind, facts: JsonObject, claims?: readonly Claim[]): Promise<string>
  /**
   * Records an exchange whose end is known before it takes effect, in one entry: a crash leaves all of
   * it or nothing.
   *
   * @param outcome without facts of an answer.
   * @throws {Problem} `evidence-unavailable`.
   */
  complete(intent: Intent, outcome: Outcome): Promise<void>
  /** Made once per journal folder: names the chain of `seq` and `prev`. */
  readonly instance: string
  /** What the start found left behind: counts, and the bytes cut off a torn tail. */
  readonly recovered: RecoveryCounts
  /** The records that the start found on their way; older ones are in the log. */
  readonly found: ReadonlySet<string>
  /** Records accepted and not yet in the log, exchanges under way included. */
  backlog(): number
  head(): Head
  /** Why no outcome could be recorded any more, not even of what is under way. */
  broken(): Problem | undefined
  /** Why nothing is accepted now, for readiness checks; undefined while all is well. */
  failure(): Problem | undefined
  /** Resolves when everything accepted is sealed and in the log. @throws when the journal failed. */
  idle(): Promise<void>
}

export interface RecoveryCounts {
  /** Exchanges whose outcome nobody knows. */
  readonly unknown: number
  /** Records that were durable but not sealed, the unknown ones included. */
  readonly sealed: number
  /** Records handed to the log again, with the same JWS. */
  readonly resent: number
  readonly tornBytes: number
}

interface State extends IntakePorts {
  readonly delivery: Delivery
}

/**
 * Opens the journal, seals what a crash left, and starts to deliver.
 *
 * @throws {Problem} `evidence-unavailable` when the folder is in use, damaged or not writable.
 */
export async function openRecorder(options: RecorderOptions): Promise<OpenRecorder> {
  const files = options.files ?? nodeFiles(options.folder)
  const found = await openJournal(files, options.segmentBytesMax)
  let state: State
  let recovered: Recovered
  try {
    recovered = recover(found.entries()) ?? newJournal(options.clock)
    state = await start(options, found, recovered.mark)
  } catch (error) {
    found.abandon()
    throw error
  }
  if (found.tornBytes > 0) options.alarm(`cut a torn write of ${found.tornBytes} bytes off the journal`) // prettier-ignore
  await resume(state, recovered)
  return {
    ...createIntake(state),
    instance: recovered.mark.instance,
    recovered: {
      unknown: recovered.unknown,
      sealed: recovered.pending.length,
      resent: recovered.sealed.length,
      tornBytes: found.tornBytes,
    },
    found: ridsOf(recovered),
    backlog: () => state.tally.backlog,
    broken: state.journal.failure,
    head: () => state.tally.head,
    idle: () => idle(state),
    close: () => close(state),
  }
}

/** Wires journal, chain and delivery. */
async function start(options: RecorderOptions, found: FoundJournal, mark: Mark): Promise<State> {
  const { instance } = mark
  const { origin, clock, persist, alarm, secrets, custody, hindrance = () => undefined } = options
  const key = await holdKey({ instance, identity: options.identity, clock, alarm })
  const tally = createTally(mark)
  const retention = createRetention()
  const journal = await found.start(
    () => markEntry(tally),
    (problem) => {
      alarm('the journal failed; nothing is relayed until the gateway is restarted', problem)
      for (const waiter of tally.waiters.splice(0)) waiter.reject(problem)
    },
  )
  const delivery = createDelivery({
    persist,
    alarm,
    logged: (batch) => acknowledge({ tally, retention, journal, alarm }, batch),
  })
  const sealed = (item: Sealed, by: string) => {
    tally.head = { seq: item.record.seq, digest: item.digest, key: by }
    delivery.push(item)
  }
  const announce = (bound: BoundKey, before: Head, segment: number): Pending => {
    retention.retain(segment)
    tally.backlog += 1
    return { draft: draftKey(bound, before, clock), segment }
  }
  const chain = createChain(
    {
      instance,
      origin,
      clock,
      key: key.current,
      announce,
      random: drawRandom,
      append: journal.append,
      sealed,
      stalled: (problem) =>
        alarm('the seal key does not sign; records wait in the journal', problem),
    },
    tally.head,
  )
  const backlogMax = options.backlogMax ?? BACKLOG_RECORDS_MAX
  const keeping = createKeeping(custody, alarm)
  return {
    tally,
    journal,
    retention,
    chain,
    key,
    delivery,
    secrets,
    custody,
    keeping,
    clock,
    backlogMax,
    hindrance,
    alarm,
  }
}

/** Brings everything that a crash left to where it would be without the crash. */
async function resume(state: State, { pending, sealed }: Recovered): Promise<void> {
  const { tally, journal, retention, chain, delivery } = state
  for (const { segment } of [...pending, ...sealed]) retention.retain(segment)
  tally.backlog = pending.length + sealed.length
  for (const item of sealed) {
    const entry = { type: 'sealed', payload: item.record.jws } as const
    if (!item.newest) delivery.push(item)
    else journal.append(entry, (problem) => problem === undefined && delivery.push(item))
  }
  for (const item of pending) chain.push(item)
  const stalled = sealAll(state)
  await journal.flush()
  const failure = journal.failure() ?? stalled
  if (failure === undefined) return
  await close(state)
  throw failure
}

function ridsOf({ pending, sealed }: Recovered): ReadonlySet<string> {
  return new Set([
    ...pending.map(({ draft }) => draft.rid),
    ...sealed.map(({ record }) => record.rid),
  ])
}

function newJournal(clock: Clock): Recovered {
  const instance = newRid(clock.wallUs())
  const mark: Mark = { v: 1, instance, seq: 0, digest: FIRST_PREV, key: '', logged: 0 }
  return { mark, pending: [], unknown: 0, sealed: [] }
}

function markEntry({ instance, head, logged }: Tally): Entry {
  const mark: Mark = { v: 1, instance, ...head, logged }
  return { type: 'mark', payload: JSON.stringify(mark) }
}

/** A batch is in the log: says so in the journal, and only then lets its segments go. */
function acknowledge(
  state: Pick<State, 'tally' | 'retention' | 'journal'> & Pick<RecorderOptions, 'alarm'>,
  batch: readonly Delivered[],
): void {
  const { tally, retention, journal, alarm } = state
  tally.logged = batch.at(-1)?.seq ?? tally.logged
  const appended: Appended = (problem) => {
    if (problem !== undefined) return // The log gets the batch again, and knows it.
    for (const { segment } of batch) retention.release(segment)
    tally.backlog -= batch.length
    if (tally.backlog === 0) for (const waiter of tally.waiters.splice(0)) waiter.resolve()
    journal.removeBefore(retention.oldest()).catch((error: unknown) => {
      alarm('a finished journal segment could not be removed', error)
    })
  }
  journal.append(markEntry(tally), appended, 'later')
}

function idle({ journal, tally }: State): Promise<void> {
  const waiter = Promise.withResolvers<void>()
  const failure = journal.failure()
  if (failure !== undefined) waiter.reject(failure)
  else if (tally.backlog === 0) waiter.resolve()
  else tally.waiters.push(waiter)
  return waiter.promise
}

/** Exchanges still under way stay in the journal; the next start seals them as `unknown`. */
async function close(state: State): Promise<void> {
  const { tally, journal, delivery, keeping, alarm } = state
  if (tally.closing) return
  tally.closing = true
  await keeping.close()
  await journal.flush()
  const stalled = sealAll(state)
  if (stalled !== undefined) alarm('records wait unsealed in the journal', stalled)
  await journal.flush()
  await delivery.stop()
  await journal.close()
}

/** Why not everything is sealed; the journal keeps the rest for the next start. */
function sealAll({ chain }: State): Problem | undefined {
  try {
    chain.flush()
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}
