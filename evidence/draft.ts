/**
 * Drafts: parts of a record's payload whose members are RFC 8785 text from the start. A journal entry
 * and a sealed payload are then joins of texts that were each made once. @module
 */
import canonicalize from 'canonicalize'
import { Problem } from '../base/problem.ts'
import type { FindingFacts, RecordKind } from './record.ts'

/** JSON as records use it: numbers are integers below 2^53, everything precise is a string. */
export type Json =
  string | number | boolean | null | undefined | readonly Json[] | { readonly [name: string]: Json }
export interface JsonObject {
  readonly [name: string]: Json
}

/** Member name → its value's RFC 8785 text. Names need no escapes in JSON. */
export type Members = Readonly<Record<string, string>>

/** Part of a payload. An intent and its outcome are each one draft; the journal holds them as JSON. */
export interface Draft {
  readonly rid: string
  /** Absent in an outcome, which is the rest of its intent. */
  readonly kind?: RecordKind
  /** All but `rid`, `kind`, `times` and `_sd`. */
  readonly members: Members
  /** What happened → RFC 3339 time. */
  readonly times: Readonly<Record<string, string>>
  /** Digests of this part's claims, unsorted and without decoys. */
  readonly _sd: readonly string[]
  /** What the members say to an index. Absent where nobody wrote it down: the log reads the payload. */
  readonly facts?: FindingFacts
}

/**
 * The RFC 8785 text of any value.
 *
 * @throws {Problem} `internal` for a lone surrogate or a number that is not finite.
 */
export function canonicalText(value: Json): string {
  try {
    const text = canonicalize(value)
    if (text !== undefined) return text
  } catch (cause) {
    throw new Problem('internal', 'a record holds what has no canonical form', { cause })
  }
  throw new Problem('internal', 'a record is not JSON')
}

/**
 * The same for a value whose members stand in RFC 8785 order already: `JSON.stringify` writes it.
 * It differs from RFC 8785 in lone surrogates, which it escapes, and in numbers that are not finite,
 * which become null; a text that could hold either goes the long way and is refused there.
 */
export function orderedText(value: Json): string {
  const text = JSON.stringify(value)
  if (text.includes('\\ud') || text.includes('null')) return canonicalText(value)
  return text
}

/**
 * Joins an intent and its outcome. Both name rid, times and _sd; of a body that was relayed while it
 * came the outcome also has `request` and `links`, complete, in place of what the intent knew.
 */
export function mergeDrafts(intent: Draft, outcome: Draft): Draft {
  const { rid, kind, facts } = intent
  return {
    rid,
    ...(kind === undefined ? {} : { kind }),
    members: { ...intent.members, ...outcome.members },
    times: { ...intent.times, ...outcome.times },
    _sd: intent._sd.concat(outcome._sd),
    ...(facts === undefined || outcome.members['links'] !== undefined ? {} : { facts }),
  }
}

/** A draft as the journal keeps it. */
export function writeDraft(draft: Draft): string {
  return joinMembers(membersOf(draft, draft._sd))
}

/** All members of a draft, with these commitments. */
export function membersOf({ rid, kind, members, times }: Draft, sd: readonly string[]) {
  return {
    ...members,
    ...(kind === undefined ? {} : { kind: `"${kind}"` }),
    rid: `"${rid}"`,
    times: join(times, '"'),
    _sd: sd.length === 0 ? '[]' : `["${sd.join('","')}"]`, // base64url needs no escapes.
  }
}

/** An object's text from the texts of its members, in canonical order. */
export function joinMembers(members: Members): string {
  return join(members, '')
}

/** @param quote around each value: `"` for times, which are ASCII without escapes. */
function join(members: Readonly<Record<string, string>>, quote: '' | '"'): string {
  let text = ''
  for (const name of namesOf(members)) text += `,"${name}":${quote}${members[name]}${quote}`
  return `{${text.slice(1)}}`
}

/** Names in the order of RFC 8785 §3.2.3, by UTF-16 units. Most stand in it already, which `sort` does not profit from. */
function namesOf(members: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(members)
  for (let next = 1; next < names.length; next++) {
    const name = names[next] as string
    let at = next
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string
    names[at] = name
  }
  return names
}

/** Reads what `writeDraft` wrote. INVARIANT: the journal's CRC held, so we wrote it. */
export function readDraft(text: string): Draft {
  const { rid, kind, times, _sd, ...rest } = JSON.parse(text) as JsonObject & Omit<Draft, 'members'>
  return {
    rid,
    ...(kind === undefined ? {} : { kind }),
    members: toMembers(rest),
    times,
    _sd,
  }
}

/** @throws {Problem} `internal` for a name that a record's member cannot have. */
export function toMembers(values: JsonObject): Members {
  const members: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new Problem('internal', 'a member of no record')
    members[name] = canonicalText(value)
  }
  return members
}
