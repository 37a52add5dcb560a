/** What the relay tells the recorder, made durable before the relay may go on. @module */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { uuidv7 } from '../base/uuid.ts'
import type { Chain, Head } from './chain.ts'
import { commit, type RecordSecrets } from './commitment.ts'
import type { EntryType } from './journal/entry.ts'
import type { Journal } from './journal/journal.ts'
import type { Retention } from './journal/retention.ts'
import { draftIntent, draftNote, draftOutcome, draftRefusal, mergeDrafts } from './payload.ts'
import type { ClockState, Draft } from './payload.ts'
import type { Intent, Outcome } from './record.ts'
import type { OpenRecorder } from './recorder.ts'
import type { Mark } from './recovery.ts'

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
export function createTally({ instance, seq, digest, logged }: Mark): Tally {
  return { instance, head: { seq, digest }, logged, backlog: 0, closing: false, waiters: [] }
}

export interface IntakePorts {
  readonly tally: Tally
  readonly journal: Journal
  readonly retention: Retention
  readonly chain: Chain
  readonly secrets: RecordSecrets
  readonly clock: Clock
  readonly backlogMax: number
}

type Intake = Pick<OpenRecorder, 'intend' | 'conclude' | 'refuse' | 'note'>

/** An exchange whose intent is durable. */
interface OpenExchange {
  readonly draft: Draft
  /** Claim names so far: the answer must not repeat one. */
  readonly names: Set<string>
  readonly segment: number
}

interface State extends IntakePorts {
  readonly clockState: () => ClockState
  readonly open: Map<string, OpenExchange>
}

/** Accepts exchanges, refusals and other events. */
export function createIntake(ports: IntakePorts): Intake {
  const clockState = watchClock(ports.clock)
  const state: State = { ...ports, clockState, open: new Map() }
  const { secrets, clock } = ports
  return {
    intend: (intent) => intend(state, intent),
    conclude: (rid, outcome) => conclude(state, rid, outcome),
    refuse: async (refusal) => {
      const digests = commit(secrets.secretOf(refusal.rid), refusal.claims, new Set())
      await record(state, draftRefusal(refusal, digests, clockState()))
    },
    note: async (kind, facts, claims = []) => {
      const receivedUs = clock.wallUs()
      const rid = uuidv7(Number(receivedUs / 1000n), randomBytes(10))
      const digests = commit(secrets.secretOf(rid), claims, new Set())
      await record(state, draftNote(kind, rid, facts, { receivedUs, clock: clockState() }, digests))
      return rid
    },
  }
}

async function intend(state: State, intent: Intent): Promise<void> {
  const { open, retention, secrets, clockState } = state
  const { rid, request } = intent
  const names = new Set<string>()
  const digests = commit(secrets.secretOf(rid), request.claims, names)
  const draft = draftIntent(intent, digests, clockState())
  await accept(state, 'intent', draft, (segment) => {
    retention.retain(segment)
    open.set(rid, { draft, names, segment })
  })
}

async function conclude(state: State, rid: string, outcome: Outcome): Promise<void> {
  const { open, chain, secrets } = state
  const exchange = open.get(rid)
  if (exchange === undefined) throw new Problem('internal', 'the exchange is not under way')
  const { draft: intent, names, segment } = exchange
  open.delete(rid)
  const claims = outcome.response?.claims ?? []
  const digests = claims.length === 0 ? [] : commit(secrets.secretOf(rid), claims, names)
  const draft = draftOutcome(rid, outcome, digests)
  await append(state, 'outcome', draft, () => {
    chain.push({ draft: mergeDrafts(intent, draft), segment })
  })
}

/** Records an event that is complete in itself. */
function record(state: State, draft: Draft): Promise<void> {
  return accept(state, 'event', draft, (segment) => {
    state.retention.retain(segment)
    state.chain.push({ draft, segment })
  })
}

/** Appends the first entry of a record, unless there is no room or no working journal. */
async function accept(
  state: State,
  type: EntryType,
  draft: Draft,
  appended: (segment: number) => void,
): Promise<void> {
  const { tally, backlogMax } = state
  if (tally.closing) throw new Problem('evidence-unavailable', 'the recorder is closed')
  if (tally.backlog >= backlogMax) {
    throw new Problem('evidence-unavailable', `${tally.backlog} records wait for the log`)
  }
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
    state.journal.append({ type, payload: JSON.stringify(draft) }, (problem, segment) => {
      if (problem !== undefined) return reject(problem)
      appended(segment)
      resolve()
    })
  })
}

/** The recorder's own clock check: how far the wall clock has moved against the monotonic one. */
function watchClock(clock: Clock): () => ClockState {
  const offsetUs = () => clock.wallUs() - clock.monotonicNs() / 1000n
  const startUs = offsetUs()
  return () => ({ source: 'system', driftUs: Number(offsetUs() - startUs) })
}
