/** Envelopes around the stages of one direction: the policy sees what is inside, and nothing else. @module */
import { Problem } from '../../base/problem.ts'
import type { EnvelopeFacts } from '../../evidence/record.ts'
import type { Head } from '../http/headers.ts'
import { type Envelope, type Envelopes, type Outer, type Outgoing, type SealedBody, unreadable } from './envelope.ts' // prettier-ignore

/** The envelopes that a policy names for one direction; without a name a body comes or goes plain. */
export interface DirectionEnvelopes {
  readonly open?: string
  readonly seal?: string
}

/** A message as the policy sees it: the head with the media type of what is inside. */
export interface Inner {
  readonly head: Head
  readonly body: Buffer
  /** What it came in. */
  readonly envelope?: Envelope
}

/**
 * Opens a message, when its direction has an envelope.
 *
 * @param before the same message, opened earlier: a value used once is not asked for twice.
 * @throws {Problem} see `Envelope.open`.
 */
export async function openMessage(
  envelopes: Envelopes,
  name: string,
  outer: Outer,
  before: Inner | undefined,
): Promise<Inner> {
  if (before?.envelope?.facts.name === name) return before
  const envelope = find(envelopes, name)
  const body = await envelope.open(outer)
  if (body.length === 0 && outer.body.length > 0) throw unreadable(name)
  return { head: new Map(outer.head).set('content-type', envelope.content), body, envelope }
}

/**
 * Reads what is inside. Where nothing authenticates it, a document that cannot be read looks like an
 * envelope that cannot be opened: otherwise the two answers would decrypt it, byte by byte.
 */
export function readInside<T>({ envelope }: Inner, work: () => T | Promise<T>): T | Promise<T> {
  return envelope === undefined || envelope.isAuthenticated ? work() : readAlike(envelope, work)
}

async function readAlike<T>({ facts }: Envelope, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Problem) || error.slug !== 'body-malformed') throw error
    throw unreadable(facts.name, error)
  }
}

/**
 * Seals a message after the guard saw it.
 *
 * @throws {Problem} `media-type-unsupported` when the recipient would read it as something else.
 */
export async function sealMessage(
  envelopes: Envelopes,
  name: string,
  { body, contentType }: { readonly body: Buffer; readonly contentType: string },
  out?: Outgoing,
): Promise<SealedBody & { readonly facts: EnvelopeFacts }> {
  const envelope = find(envelopes, name)
  const { content, facts } = envelope
  if (body.length > 0 && contentType !== content) {
    throw new Problem('media-type-unsupported', `envelope \`${name}\` holds ${content}`)
  }
  return { ...(await envelope.seal(body, out)), facts }
}

function find(envelopes: Envelopes, name: string): Envelope {
  const envelope = envelopes.get(name)
  if (envelope === undefined) throw new Problem('internal', '') // Checked when the policy loaded.
  return envelope
}
