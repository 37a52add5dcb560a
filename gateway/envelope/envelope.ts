/** Partner envelopes: opened before a policy sees the body, and sealed after the guard saw it. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { EnvelopeFacts } from '../../evidence/record.ts'
import { ConfigFault } from '../fault.ts'
import { type Head, mediaType } from '../http/headers.ts'
import { parseDate, shiftDate, todayInChina } from '../transform/calendar.ts'
import { type Cipher, openCipher } from './cipher.ts'
import type { EnvelopeConfig } from './config.ts'
import { describeEnvelope } from './describe.ts'
import { createFreshness, type Freshness } from './fresh.ts'
import { type HeadSignature, type Line, openHeadSignature } from './headers.ts'
import { type Jose, openJose } from './jose.ts'
import { SIGN_OFF_DAYS_MAX } from './limits.ts'
import { type Members, readMembers, signedText } from './members.ts'
import { openSignature, type Signature } from './sign.ts'

/** A message in its envelope. */
export interface Outer {
  readonly head: Head
  readonly body: Buffer
  /** Absent in an answer. */
  readonly line?: Line
}

/** Where a request goes, and the fields that go with it. */
export interface Outgoing {
  readonly line: Line
  readonly head: Head
}

/** A sealed body, its media type, and the fields that sign it. */
export interface SealedBody {
  readonly body: Buffer
  readonly mediaType: string
  readonly headers: readonly (readonly [string, string])[]
}

/** One named envelope, its keys in memory. */
export interface Envelope {
  readonly facts: EnvelopeFacts
  /** Media type of what is inside. */
  readonly content: string
  /** Without it, whatever is wrong with what is inside must look like a failed opening. */
  readonly isAuthenticated: boolean
  /**
   * What is inside; empty for a request without a body whose head is signed.
   *
   * @throws {Problem} `envelope-unreadable`, one and the same whatever failed once keys come in;
   *   `envelope-replayed`, `policy-refused` after the end of a sign-off, `media-type-unsupported`.
   */
  open(outer: Outer): Promise<Buffer>
  /** @param out what goes out beside the body; absent for an answer. */
  seal(inner: Buffer, out?: Outgoing): Promise<SealedBody>
}

/** Envelopes by name. */
export type Envelopes = ReadonlyMap<string, Envelope>

/** Opens all key files. @throws {ConfigFault} when a weakness is accepted for more than a year. */
export async function openEnvelopes(
  configs: readonly EnvelopeConfig[],
  clock: Clock,
): Promise<Envelopes> {
  const opened = configs.map(async (config) => {
    checkSignOff(config, clock)
    return [config.id, await openEnvelope(config, clock)] as const
  })
  return new Map(await Promise.all(opened))
}

function checkSignOff({ id, signOff, at }: EnvelopeConfig, clock: Clock): void {
  const date = signOff && parseDate(signOff.until)
  if (date !== undefined && shiftDate(date, -SIGN_OFF_DAYS_MAX) > todayInChina(clock)) {
    const place = `${at.file}:${at.line}:${at.column}`
    throw new ConfigFault(place, `the weakness of \`${id}\` is accepted for more than a year`)
  }
}

/** The keys and instruments of one envelope. */
interface Kit {
  readonly config: EnvelopeConfig
  readonly fresh: Freshness
  readonly jose?: Jose | undefined
  readonly cipher?: Cipher | undefined
  readonly signature?: Signature | undefined
  readonly headSignature?: HeadSignature | undefined
}

async function openEnvelope(config: EnvelopeConfig, clock: Clock): Promise<Envelope> {
  const { id, cipher, sign, headers, jose, weak, signOff } = config
  const fresh = createFreshness(id, clock)
  const kit: Kit = {
    config,
    fresh,
    jose: jose && (await openJose(jose)),
    cipher: cipher && openCipher(cipher),
    signature: sign && openSignature(sign),
    headSignature: headers && openHeadSignature(headers, fresh),
  }
  const checkAccepted = () => {
    if (signOff === undefined || todayInChina(clock) <= signOff.until) return
    throw new Problem('policy-refused', `envelope \`${id}\`: weak, accepted until ${signOff.until}`)
  }
  return {
    facts: { name: id, algorithm: describeEnvelope(config), weak },
    content: config.content,
    isAuthenticated: !weak.includes('unauthenticated'),
    open: async (outer) => {
      checkAccepted()
      return open(kit, outer)
    },
    seal: async (inner, out) => {
      checkAccepted()
      return seal(kit, inner, out)
    },
  }
}

/** The one error of every failed opening. @see README.md */
export function unreadable(id: string, cause?: unknown): Problem {
  return new Problem('envelope-unreadable', `envelope \`${id}\` cannot be opened`, { cause })
}

async function open(kit: Kit, { head, body, line }: Outer): Promise<Buffer> {
  const { config, jose, cipher, signature, headSignature, fresh } = kit
  const { id, json } = config
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof Problem && /^(envelope-|overloaded)/.test(cause.slug)) throw cause
      throw unreadable(id, cause)
    }
  }
  if (headSignature !== undefined) {
    await attempt(() => headSignature.verify(line ?? { method: '', path: '' }, head, body))
    if (body.length === 0) return body
  }
  if (body.length === 0) throw explain(id, 'expected a body')
  if (mediaType(head) !== config.mediaType) {
    throw new Problem('media-type-unsupported', `envelope \`${id}\`: expected ${config.mediaType}`)
  }
  if (jose !== undefined) return attempt(() => jose.open(body.toString('latin1')))
  if (json === undefined) {
    return cipher === undefined ? body : attempt(() => cipher.open(body.toString('latin1')))
  }
  const members = membersOf(config, body)
  return attempt(() => {
    // The signature first: what it does not cover is not decrypted.
    if (signature !== undefined) {
      const value = members.get(config.sign?.member ?? '') ?? ''
      if (!signature.verify(signedText(config, members), value)) throw new Error('not signed')
    }
    if (json.fresh !== undefined) {
      const { timestamp, nonce } = json.fresh
      fresh.check(members.get(timestamp) ?? '', members.get(nonce) ?? '')
    }
    const data = members.get(json.data) ?? ''
    return cipher === undefined ? Buffer.from(data) : cipher.open(data, members)
  })
}

function membersOf(config: EnvelopeConfig, body: Buffer): Members {
  try {
    return readMembers(config, body)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw explain(config.id, error.message)
  }
}

/** What anybody can see who holds the message. */
function explain(id: string, why: string): Problem {
  return new Problem('envelope-unreadable', `envelope \`${id}\`: ${why}`)
}

async function seal(
  { config, jose, cipher, signature, headSignature, fresh }: Kit,
  inner: Buffer,
  out?: Outgoing,
): Promise<SealedBody> {
  const { json } = config
  let body = inner
  if (inner.length === 0) {
    // Nothing to seal: a request without a body stays one.
  } else if (jose !== undefined) body = Buffer.from(await jose.seal(inner))
  else if (json !== undefined) {
    const members = new Map(json.constants)
    if (json.fresh !== undefined) {
      const { timestamp, nonce } = fresh.stamp()
      members.set(json.fresh.timestamp, timestamp).set(json.fresh.nonce, nonce)
    }
    members.set(json.data, cipher === undefined ? inner.toString() : cipher.seal(inner, members))
    if (signature !== undefined) {
      members.set(config.sign?.member ?? '', await signature.sign(signedText(config, members)))
    }
    body = Buffer.from(JSON.stringify(Object.fromEntries(members)))
  } else if (cipher !== undefined) body = Buffer.from(cipher.seal(inner))
  const media = body.length === 0 ? '' : config.mediaType
  if (headSignature === undefined || out === undefined) {
    return { body, mediaType: media, headers: [] }
  }
  const head = new Map(out.head)
  if (media !== '') head.set('content-type', media)
  return { body, mediaType: media, headers: headSignature.sign(out.line, head, body) }
}
