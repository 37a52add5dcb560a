/** What a record says: the JSON payload of each kind, built from the facts of an exchange. @module */
import { toTimestamp } from '../base/clock.ts'
import { withDecoys } from './commitment.ts'
import {
  canonicalText,
  type Draft,
  joinMembers,
  type Json,
  type JsonObject,
  type Members,
  membersOf,
  orderedText,
  toMembers,
} from './draft.ts'
import type {
  EnvelopeFacts,
  Intent,
  ManifestEntry,
  MessageFacts,
  Outcome,
  RecordKind,
  Refusal,
  StreamFacts,
} from './record.ts'

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
  const { rid, receivedUs, caller, recipient, route, policy, legal, links, custody } = intent
  return {
    rid,
    kind: 'exchange',
    members: {
      caller: callerText(caller),
      recipient: orderedText(recipient),
      route: orderedText(route),
      policy: policyText(policy),
      purpose: orderedText(intent.purpose),
      legal: orderedText({ basis: legal.basis, pia: legal.pia && dateAndId(legal.pia) }),
      links: canonicalText(links), // Their names come from a policy, in any order.
      ...(custody === undefined ? {} : { custody: orderedText({ until: custody.until }) }),
      request: messageText(intent.request),
      clock: clockText(clock),
    },
    times: { received: toTimestamp(receivedUs) },
    _sd: digests,
    facts: {
      receivedUs: Number(receivedUs),
      caller: caller.id,
      recipient,
      route,
      policy: `${policy.id}@${policy.version}`,
      links,
    },
  }
}

/** How the exchange ended. */
export function draftOutcome(rid: string, outcome: Outcome, digests: readonly string[]): Draft {
  const { status, recipientStatus, problem, links, request, response } = outcome
  return {
    rid,
    members: {
      outcome: orderedText(outcome.result),
      ...(status === undefined ? {} : { status: orderedText(status) }),
      ...(recipientStatus === undefined ? {} : { recipientStatus: orderedText(recipientStatus) }),
      ...(problem === undefined ? {} : { problem: orderedText(problem) }),
      ...(links === undefined ? {} : { links: canonicalText(links) }),
      ...(request === undefined ? {} : { request: messageText(request) }),
      ...(response === undefined ? {} : { response: messageText(response) }),
    },
    times: {
      ...time('sent', outcome.sentUs),
      ...time('responseReceived', outcome.responseReceivedUs),
      ...time('answered', outcome.answeredUs),
    },
    _sd: digests,
  }
}

/** An exchange that a crash cut off. */
export function draftUnknown(rid: string): Draft {
  return { rid, members: { outcome: '"unknown"' }, times: {}, _sd: [] }
}

/** A request that was answered without a relay. */
export function draftRefusal(
  refusal: Refusal,
  digests: readonly string[],
  clock: ClockState,
): Draft {
  const { rid, receivedUs, answeredUs, caller, policy, recipient, route, problem, status } = refusal
  return {
    rid,
    kind: 'refusal',
    members: {
      ...(caller === undefined ? {} : { caller: callerText(caller) }),
      ...(policy === undefined ? {} : { policy: policyText(policy) }),
      ...toMembers({ recipient, route, problem, status }),
      clock: clockText(clock),
    },
    times: { received: toTimestamp(receivedUs), answered: toTimestamp(answeredUs) },
    _sd: digests,
  }
}

/** Any other event: key, policy, deposit, clock, gap, hold, erase, reveal. */
export function draftNote(
  kind: RecordKind,
  rid: string,
  facts: JsonObject,
  at: { readonly receivedUs: bigint; readonly clock?: ClockState },
  digests: readonly string[],
): Draft {
  return {
    rid,
    kind,
    members: {
      ...toMembers(facts),
      ...(at.clock === undefined ? {} : { clock: clockText(at.clock) }),
    },
    times: { received: toTimestamp(at.receivedUs) },
    _sd: digests,
  }
}

/** The members that are the same in every record of a process. */
export function originMembers({ org, role, build, config }: Origin, instance: string): Members {
  return toMembers({ v: 1, org, role, build, config, instance, _sd_alg: 'sha-256' })
}

/** The payload's bytes as text: RFC 8785, made once; verifiers never canonicalise again. */
export function writePayload(
  draft: Draft,
  origin: Members,
  { seq, prev }: Pick<Place, 'seq' | 'prev'>,
  random: (size: number) => Buffer,
): string {
  const own = membersOf(draft, withDecoys(draft._sd, random))
  return joinMembers({ ...own, ...origin, seq: String(seq), prev: `"${prev}"` })
}

// The objects below have their members in RFC 8785 order; a property test holds them to it.

const callerText = ({ id, auth, key }: Intent['caller']) => orderedText({ auth, id, key })
const policyText = ({ id, version, digest }: Intent['policy']) =>
  orderedText({ digest, id, version })
const clockText = ({ source, driftUs }: ClockState) => orderedText({ driftUs, source })
const dateAndId = ({ id, date }: { readonly id: string; readonly date: string }) => ({ date, id })

function messageText(facts: MessageFacts | StreamFacts): string {
  const known: Partial<MessageFacts> = facts
  const { coding, envelopes, manifest, rows, upload } = known
  const members: Record<Exclude<keyof MessageFacts, 'claims'>, Json> = {
    coding,
    envelopes: envelopes && envelopesOf(envelopes),
    forwardedLength: known.forwardedLength,
    length: known.length,
    manifest: manifest?.map(entryOf),
    mediaType: known.mediaType,
    method: known.method,
    rows: rows && sorted({ ...rows }),
    streamed: known.streamed,
    unnamed: known.unnamed,
    upload: upload && sorted({ ...upload }),
    void: known.void,
  }
  return orderedText(members)
}

function envelopesOf({ opened, sealed }: NonNullable<MessageFacts['envelopes']>): JsonObject {
  const facts = ({ algorithm, name, weak }: EnvelopeFacts): JsonObject => ({
    algorithm,
    name,
    weak,
  })
  return { opened: opened && facts(opened), sealed: sealed && facts(sealed) }
}

function sorted(object: JsonObject): JsonObject {
  const ordered: Record<string, Json> = {}
  for (const name of Object.keys(object).sort()) ordered[name] = object[name]
  return ordered
}

const entryOf = ({ action, count, kind, path, rule, ...rest }: ManifestEntry): Json => ({
  action,
  class: rest.class,
  count,
  kind,
  path,
  rule,
})

function time(name: string, us: bigint | undefined): Readonly<Record<string, string>> {
  return us === undefined ? {} : { [name]: toTimestamp(us) }
}
