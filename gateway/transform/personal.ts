/** Values of bodies, wrapped so that no log line, error or inspection shows them. @module */
import { inspect } from 'node:util'
import type { Captured } from './transform.ts'

const SHOWN = '[personal]'

/** A value as a codec met it; only `reveal` gives it out. */
export class Personal<Type extends Captured['type']> {
  readonly type: Type
  readonly #text: string
  constructor(type: Type, text: string) {
    this.type = type
    this.#text = text
  }
  /** The decoded text of a string, the source text of anything else. */
  reveal(): string {
    return this.#text
  }
  toString(): string {
    return SHOWN
  }
  toJSON(): string {
    return SHOWN
  }
  [inspect.custom](): string {
    return SHOWN
  }
}
