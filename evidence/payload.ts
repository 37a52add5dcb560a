/** What a record says: the JSON payload of each kind, built from the facts of an exchange. @module */
import canonicalize from 'canonicalize'
import { toTimestamp } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { withDecoys } from './commitment.ts'
import type { Intent, MessageFacts, Outcome, RecordKind, Refusal, StreamFacts } from './record.ts'

/** JSON as records use it: numbers are integers below 2^53, everything precise is a string. */
export type Json =
  string | number | boolean | null | undefined | readonly Json[] | { readonly [name: string]: Json }
export interface JsonObject {
  readonly [name: string]: Json
}

/** Part of a payload. An intent and its outcome are each one draft; the journal holds them as JSON. */
export interface Draft extends JsonObject {
  readonly rid: string
  readonly times?: JsonObject
  /** Digests of this part's claims, unsorted and without decoys. */
  readonly _sd: readonly string[]
}

/** Who seals: the same in every record of a process. */
export interface Origin {
  readonly org: string
  readonly role: string
  /** `sha256:<hex>` of the running code and of its configuration. */
  readonly build: string
  readonly config: string
}

/** The state of the clock when an event was recorded. */
export interface ClockState {
  readonly source: string
  /** Wall clock minus monotonic clock since the recorder opened: steps of the wall clock show here. */
  readonly driftUs: number
}

/** A record's place among all records of its instance. */
export interface Place {
  readonly instance: string
  readonly seq: number
  readonly prev: string
}

/** The part of an exchange that is known before anything is relayed. */
export function draftIntent(intent: Intent, digests: readonly string[], clock: ClockState): Draft {
  return {
    kind: 'exchange',
    rid: intent.rid,
    caller: intent.caller,
    recipient: intent.recipient,
    route: intent.route,
    policy: intent.policy,
    purpose: intent.purpose,
    legal: intent.legal,
    links: intent.links,
    custody: intent.custody,
    request: draftMessage(intent.request),
    times: { received: toTimestamp(intent.receivedUs) },
    clock: { ...clock },
    _sd: digests,
  }
}

/** How the exchange ended. */
export function draftOutcome(rid: string, outcome: Outcome, digests: readonly string[]): Draft {
  return {
    rid,
    outcome: outcome.result,
    status: outcome.status,
    recipientStatus: outcome.recipientStatus,
    problem: outcome.problem,
    links: outcome.links,
    request: outcome.request && draftMessage(outcome.request),
    response: outcome.response && draftMessage(outcome.response),
    times: {
      sent: time(outcome.sentUs),
      responseReceived: time(outcome.responseReceivedUs),
      answered: time(outcome.answeredUs),
    },
    _sd: digests,
  }
}

/** A request that was answered without a relay. */
export function draftRefusal(
  refusal: Refusal,
  digests: readonly string[],
  clock: ClockState,
): Draft {
  const { receivedUs, answeredUs, claims: _, ...facts } = refusal
  return {
    kind: 'refusal',
    ...facts,
    times: { received: toTimestamp(receivedUs), answered: toTimestamp(answeredUs) },
    clock: { ...clock },
    _sd: digests,
  }
}

/** Any other event: key, policy, deposit, clock, gap, hold, erase, reveal. */
export function draftNote(
  kind: RecordKind,
  rid: string,
  facts: JsonObject,
  at: { readonly receivedUs: bigint; readonly clock: ClockState },
  digests: readonly string[],
): Draft {
  return {
    ...facts,
    kind,
    rid,
    times: { received: toTimestamp(at.receivedUs) },
    clock: { ...at.clock },
    _sd: digests,
  }
}

/**
 * Joins an intent and its outcome. Both name rid, times and _sd; of a body that was relayed while it
 * came the outcome also has `request` and `links`, complete, in place of what the intent knew.
 */
export function mergeDrafts(intent: Draft, outcome: Draft): Draft {
  return {
    ...intent,
    ...outcome,
    links: outcome['links'] ?? intent['links'],
    request: outcome['request'] ?? intent['request'],
    times: { ...intent.times, ...outcome.times },
    _sd: [...intent._sd, ...outcome._sd],
  }
}

/** The payload's bytes as text: RFC 8785, made once; verifiers never canonicalise again. */
export function writePayload(
  draft: Draft,
  origin: Origin,
  place: Place,
  random: (size: number) => Buffer,
): string {
  const _sd = withDecoys(draft._sd, random)
  return toCanonical({ v: 1, ...draft, ...origin, ...place, _sd, _sd_alg: 'sha-256' })
}

/**
 * A draft as the journal keeps it. What has no canonical form is refused here, before anything is
 * relayed: sealed it could never be, and no restart could get past it.
 *
 * @throws {Problem} `internal` for a lone surrogate or a number that is not finite.
 */
export function writeDraft(draft: Draft): string {
  return toCanonical(draft)
}

function toCanonical(value: JsonObject): string {
  try {
    const text = canonicalize(value)
    if (text !== undefined) return text
  } catch (cause) {
    throw new Problem('internal', 'a record holds what has no canonical form', { cause })
  }
  throw new Problem('internal', 'a record is not JSON')
}

function draftMessage(facts: MessageFacts | StreamFacts): JsonObject {
  const { claims: _, ...rest } = facts
  if (!('manifest' in rest)) return rest
  const { rows, manifest, ...plain } = rest
  return {
    ...plain,
    ...(rows === undefined ? {} : { rows: { ...rows } }),
    manifest: manifest.map((entry) => ({ ...entry })),
  }
}

const time = (us: bigint | undefined) => (us === undefined ? undefined : toTimestamp(us))
