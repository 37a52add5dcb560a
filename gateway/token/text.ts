/** The text of tokens: `tok_<kind>_<version>_<letters>`, recognisable by itself. @module */
import { TOKEN_CHARACTERS_MAX } from './limits.ts'

/** `tok` opaque, `enc` deterministically encrypted, `vlt` kept in the vault, `psn` pseudonym (one-way). */
export type TokenForm = 'tok' | 'enc' | 'vlt' | 'psn'

/** What a token says of itself; only its key can tell whether it is genuine. */
export interface TokenText {
  readonly form: TokenForm
  readonly kind: string
  readonly version: number
  /** Lower-case letters, a multiple of 12. */
  readonly body: string
}

const TOKEN = /^(tok|enc|vlt|psn)_([a-z][a-z0-9-]{0,63})_([1-9][0-9]{0,3})_((?:[a-z]{12}){3,})$/

/** Writes what precedes the body; it is also the associated data that binds kind and version. */
export function tokenPrefix(form: TokenForm, kind: string, version: number): string {
  return `${form}_${kind}_${version}_`
}

/** Reads a token by its text alone. */
export function readToken(text: string): TokenText | undefined {
  if (text.length > TOKEN_CHARACTERS_MAX) return undefined
  const match = TOKEN.exec(text)
  if (match === null) return undefined
  const [, form, kind = '', version, body = ''] = match
  return { form: form as TokenForm, kind, version: Number(version), body }
}

/** Tells a token or pseudonym of any kind. */
export function isToken(text: string): boolean {
  return readToken(text) !== undefined
}

/** The kind of a token that can be revealed. */
export function tokenKind(text: string): string | undefined {
  const token = readToken(text)
  return token?.form === 'psn' ? undefined : token?.kind
}

/** The kind of a pseudonym. */
export function pseudonymKind(text: string): string | undefined {
  const token = readToken(text)
  return token?.form === 'psn' ? token.kind : undefined
}
