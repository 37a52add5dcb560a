/** The last look at what leaves: personal data that no rule allows stops the relay. @module */
import { Problem } from '../../base/problem.ts'
import type { BodyDialect } from '../policy/body.ts'
import type { Allowed } from './allowed.ts'
import { type Carried, carriedBy } from './carriers.ts'
import { createDetect } from './detect.ts'
import { inspectMessage } from './inspect.ts'
import type { Kind, Kinds } from './kinds.ts'
import { describeLeaks } from './describe.ts'
import { createNames } from './names.ts'
import type { CellPlace } from './table-values.ts'

/** A message exactly as it is about to leave. */
export interface OutboundMessage {
  readonly headers: Iterable<readonly [name: string, value: string]>
  /** Raw, without the question mark. */
  readonly query: string
  readonly path: string
  readonly body: Uint8Array
  /** Of a part of a long body: what of it was seen before. Asked for when there is something to tell. */
  readonly before?: (() => Before) | undefined
  /** With its parameters; empty when there is no body. */
  readonly mediaType: string
  /** How the policy says that bodies are written. */
  readonly dialect?: BodyDialect | undefined
  readonly allowed: Allowed
  /** Names that the policy spells out, which a message may show. */
  readonly names?: ReadonlySet<string>
}

/** What was seen of a long body before a part of it. */
export interface Before {
  readonly bytes: number
  readonly rows: number
}

/** Where a hit stands. Names of members are left out: a body chooses them, so they may be personal. */
export interface Place {
  readonly in: 'header' | 'query' | 'path' | 'body'
  /** Header name; or which query parameter, part or element, counted from 1. */
  readonly name?: string
  /** Of a table. */
  readonly cell?: CellPlace
  /** Bytes from the start of the body, UTF-16 units elsewhere; of the value, not of the hit in it. */
  readonly offset: number
  /** Open brackets around the value. */
  readonly depth: number
  /** Encodings that hid the value, outermost first. */
  readonly carriers: readonly Carried['carrier'][]
}

/** Personal data in an outbound message; never the value. */
export interface GuardHit {
  readonly kind: string
  readonly class: Kind['class']
  readonly place: Place
  readonly score: number
  readonly why: string
  /** Whether no rule allows it, and it is sure enough: it stops the relay. */
  readonly leak: boolean
}

/** See `createGuard`. */
export interface Guard {
  /**
   * Inspects a message.
   *
   * @returns what was found and may pass: allowed, uncertain, or of a kind that is only reported.
   * @throws {Problem} `leak-detected`; the detail names kinds and places.
   */
  inspect(message: OutboundMessage): readonly GuardHit[]
}

/** Binds the guard to a dictionary. */
export function createGuard(kinds: Kinds): Guard {
  const detect = createDetect(kinds)
  const isClean = (text: string) => detect(text).length + carriedBy(text).length === 0
  const instruments = { kinds, detect, names: createNames(kinds, isClean) }
  return {
    inspect(message) {
      const found = inspectMessage(message, instruments)
      const leaks = found.filter(({ leak }) => leak)
      if (leaks.length > 0) throw new Problem('leak-detected', describeLeaks(leaks, message))
      return found
    },
  }
}
