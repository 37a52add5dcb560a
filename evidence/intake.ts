/** What the relay tells the recorder, made durable before the relay may go on. @module */
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { Chain, Head } from './chain.ts'
import { watchClock, type ClockWatch } from './clock-watch.ts'
import { commit, nameClaims, type RecordSecrets } from './commitment.ts'
import { mergeDrafts, writeDraft, type Draft } from './draft.ts'
import type { Custody } from './custody/custody.ts'
import { type Keeping, noCustodian } from './custody/keeping.ts'
import type { Side } from './custody/store.ts'
import type { EntryType } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { Retention } from './journal/retention.ts'
import { draftIntent, draftNote, draftOutcome, draftRefusal, type ClockState } from './payload.ts'
import type { Claim, Intent, Outcome } from './record.ts'
import { newRid } from './random.ts'
import { createRowLedger } from './rows/ledger.ts'
import type { OpenRecorder } from './recorder.ts'
import type { Mark } from './recovery.ts'
import type { KeyHolder } from './seal-key.ts'

/** What is counted while records come and go. */
export interface Tally {
  readonly instance: string
  /** The newest durable record, and the newest that is in the log. */
  head: Head
  logged: number
  backlog: number
  closing: boolean
  waiters: PromiseWithResolvers<void>[]
}

/** Counts on from where the journal stands. */
export function createTally({ instance, seq, digest, key, logged }: Mark): Tally {
  return { instance, head: { seq, digest, key }, logged, backlog: 0, closing: false, waiters: [] }
}

export interface IntakePorts {
  readonly tally: Tally
  readonly journal: Journal
  readonly retention: Retention
  readonly chain: Chain
  readonly key: KeyHolder
  readonly secrets: RecordSecrets
  readonly custody: Custody | undefined
  readonly keeping: Keeping
  readonly clock: Clock
  readonly backlogMax: number
  readonly hindrance: () => Problem | undefined
  readonly alarm: (message: string, error?: unknown) => void
}

type Intake = Pick<
  OpenRecorder,
  'intend' | 'conclude' | 'complete' | 'refuse' | 'body' | 'note' | 'failure'
>

/** An exchange whose intent is durable. */
interface OpenExchange {
  readonly draft: Draft
  readonly secret: Buffer
  readonly custody: Intent['custody']
  /** Claim names so far: the answer must not repeat one. */
  readonly names: Set<string>
  readonly segment: number
}

/**
 * One place in the table of exchanges, emptied at their end: V8 keeps a table that it has outgrown until
 * its next full collection, and with it, in the old generation, all that the table holds.
 */
interface Slot {
  exchange: OpenExchange | undefined
}

interface State extends IntakePorts {
  readonly watch: ClockWatch
  readonly open: Map<string, Slot>
}

/** Accepts exchanges, refusals and other events. */
export function createIntake(ports: IntakePorts): Intake {
  const watch = watchClock(ports.clock, (clock) => recordJump(state, clock))
  const state: State = { ...ports, watch, open: new Map() }
  const { secrets, clock, keeping } = ports
  return {
    intend: (intent) => intend(state, intent),
    conclude: (rid, outcome) => conclude(state, rid, outcome),
    complete: async (intent, outcome) => {
      mayAccept(state)
      if (intent.custody !== undefined) throw new Problem('internal', 'custody keeps exchanges')
      const digests = commit(
        secrets.secretOf(intent.rid),
        nameClaims(intent.request.claims, new Set()),
      )
      const draft = draftIntent(intent, digests, watch.state())
      await record(state, mergeDrafts(draft, draftOutcome(intent.rid, outcome, [])))
    },
    refuse: async (facts) => {
      await keeping.abandon(facts.rid)
      mayAccept(state)
      const digests = commit(secrets.secretOf(facts.rid), nameClaims(facts.claims, new Set()))
      await record(state, draftRefusal(facts, digests, watch.state()))
    },
    body: (rid, side, until) => {
      if (until === undefined) return { ledger: createRowLedger(secrets.secretOf(rid), side) }
      const known = state.open.get(rid)?.exchange?.secret
      const { secret, original } = keeping.start({ rid, ...until }, side, known)
      return { ledger: createRowLedger(secret, side), original }
    },
    note: async (kind, facts, claims = []) => {
      mayAccept(state)
      const receivedUs = clock.wallUs()
      const rid = newRid(receivedUs)
      const digests = commit(secrets.secretOf(rid), nameClaims(claims, new Set()))
      const at = { receivedUs, clock: watch.state() }
      await record(state, draftNote(kind, rid, facts, at, digests))
      return rid
    },
    failure: () => refusal(state),
  }
}

async function intend(state: State, intent: Intent): Promise<void> {
  try {
    await begin(state, intent)
  } catch (error) {
    await state.keeping.abandon(intent.rid)
    throw error
  }
}

async function begin(state: State, intent: Intent): Promise<void> {
  const { open, retention, watch } = state
  const { rid, request, custody } = intent
  mayAccept(state)
  if (open.has(rid)) throw new Problem('internal', 'the exchange has begun before')
  const names = new Set<string>()
  const claims = nameClaims(request.claims, names)
  const secret = secretFor(state, intent)
  const draft = draftIntent(intent, commit(secret, claims), watch.state())
  // A crash after this line leaves a ciphertext without a record; its retention ends it.
  if (custody !== undefined) await deposit(state, { rid, part: 'request', ...custody }, secret, claims) // prettier-ignore
  await admit(state, 'intent', draft, (segment) => {
    retention.retain(segment)
    open.set(rid, { exchange: { draft, secret, custody, names, segment } })
  })
}

async function conclude(state: State, rid: string, outcome: Outcome): Promise<void> {
  const { open, chain, alarm } = state
  const slot = open.get(rid)
  if (slot?.exchange === undefined) throw new Problem('internal', 'the exchange is not under way')
  const { draft: intent, secret, custody, names, segment } = slot.exchange
  slot.exchange = undefined
  open.delete(rid)
  await state.keeping.finish(rid)
  const found = [...(outcome.request?.claims ?? []), ...(outcome.response?.claims ?? [])]
  const claims = nameClaims(found, names)
  const draft = draftOutcome(rid, outcome, commit(secret, claims))
  if (custody !== undefined && claims.length > 0) {
    // The request has left: an outcome without its originals is better than none.
    await deposit(state, { rid, part: 'response', ...custody }, secret, claims).catch(
      (error: unknown) => alarm('the originals of an answer did not reach custody', error),
    )
  }
  await append(state, 'outcome', draft, () => {
    chain.push({ draft: mergeDrafts(intent, draft), segment })
  })
}

/** With custody, the secret is in custody alone: erasing it there ends openability. */
function secretFor({ secrets, custody, keeping }: State, { rid, custody: until }: Intent): Buffer {
  if (until === undefined) return secrets.secretOf(rid)
  const secret = keeping.secretOf(rid) ?? custody?.newSecret()
  if (secret === undefined) throw noCustodian()
  return secret
}

async function deposit(
  { custody }: State,
  item: { readonly rid: string; readonly part: Side; readonly until: string },
  secret: Buffer,
  claims: readonly Claim[],
): Promise<void> {
  try {
    await custody?.deposit(item, secret, claims)
  } catch (cause) {
    throw new Problem('evidence-unavailable', 'custody could not be made durable', { cause })
  }
}

/** Records an event that is complete in itself. */
function record(state: State, draft: Draft): Promise<void> {
  return admit(state, 'event', draft, (segment) => {
    state.retention.retain(segment)
    state.chain.push({ draft, segment })
  })
}

/** The last record before the stop says why there are no more. */
function recordJump(state: State, clock: ClockState): void {
  const { alarm } = state
  alarm('the wall clock was set; nothing is relayed until the gateway is restarted')
  const receivedUs = state.clock.wallUs()
  const rid = newRid(receivedUs)
  const draft = draftNote('clock', rid, { event: 'jumped' }, { receivedUs, clock }, [])
  record(state, draft).catch((error: unknown) => alarm('no record of the clock', error))
}

/** Why nothing is accepted: it could not be stored, dated, sealed, or held in a bounded memory. */
function refusal({
  tally,
  journal,
  backlogMax,
  hindrance,
  key,
  watch,
}: State): Problem | undefined {
  if (tally.closing) return new Problem('evidence-unavailable', 'the recorder is closed')
  const problem = journal.failure() ?? watch.problem() ?? hindrance() ?? key.problem()
  if (problem !== undefined || tally.backlog < backlogMax) return problem
  return new Problem('evidence-unavailable', `${tally.backlog} records wait for the log`)
}

function mayAccept(state: State): void {
  const problem = refusal(state)
  if (problem !== undefined) throw problem
}

/** Appends the first entry of a record. */
async function admit(
  state: State,
  type: EntryType,
  draft: Draft,
  appended: (segment: number) => void,
): Promise<void> {
  const { tally } = state
  tally.backlog += 1
  try {
    await append(state, type, draft, appended)
  } catch (error) {
    tally.backlog -= 1
    throw error
  }
}

function append(
  state: State,
  type: EntryType,
  draft: Draft,
  appended: (segment: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    state.journal.append({ type, payload: writeDraft(draft) }, (problem, segment) => {
      if (problem !== undefined) return reject(problem)
      appended(segment)
      resolve()
    })
  })
}
