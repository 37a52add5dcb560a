/** Rewrites each part of a message by the rules of one direction. @module */
import { Problem, type ProblemSlug } from '../../base/problem.ts'
import type { ManifestEntry } from '../../evidence/record.ts'
import type { CompiledDirection } from './compile.ts'
import { type Readable, startTranscoder } from './charset.ts'
import { encodeText, textOfJson } from './codec/form.ts'
import { startRewrite, type Rewriter } from './engine.ts'
import { type BodyFormat, formatType, JSON_FORMAT } from './format.ts'
import { settle } from './later.ts'
import { BODY_BYTES_MAX } from './limits.ts'
import { Personal } from './personal.ts'
import { misplaced, readableTo } from './readable.ts'
import type { BoundRule, Program } from './program.ts'
import type { Change, Rewritten } from './transform.ts'

/** A rewritten query or path. */
export interface RewrittenText {
  readonly text: string
  readonly manifest: readonly ManifestEntry[]
  readonly unnamed: number
}

/** The headers that pass, in order. */
export interface RewrittenHeaders {
  readonly headers: readonly (readonly [string, string])[]
  readonly manifest: readonly ManifestEntry[]
  readonly unnamed: number
}

/**
 * Rewrites a body in one pass; answers at once unless a transform answers `later`.
 *
 * @throws {Problem} `body-malformed`, `body-too-large`, `policy-refused`, `value-unsuitable`.
 */
export function rewriteBody(
  direction: CompiledDirection,
  body: Uint8Array,
  format: BodyFormat = JSON_FORMAT,
): Rewritten | Promise<Rewritten> {
  if (body.length > BODY_BYTES_MAX) {
    throw new Problem('body-too-large', `the body is longer than ${BODY_BYTES_MAX} bytes`)
  }
  const { read, encode } = startTranscoder(format.charset)
  const encoded = (rewritten: Rewritten) => ({ ...rewritten, bytes: encode(rewritten.bytes) })
  const rewritten = run(format, direction.body, read(body, true), 'body-malformed')
  return rewritten instanceof Promise ? rewritten.then(encoded) : encoded(rewritten)
}

const QUERY: BodyFormat = { ...JSON_FORMAT, name: 'form' }

/** Rewrites a query, given without its `?`. @throws {Problem} `request-malformed`, `policy-refused`. */
export function rewriteQuery(
  direction: CompiledDirection,
  raw: string,
): RewrittenText | Promise<RewrittenText> {
  const toText = ({ bytes, manifest, unnamed }: Rewritten) => ({
    text: bytes.toString('latin1'),
    manifest,
    unnamed,
  })
  const rewritten = run(QUERY, direction.query, { text: Buffer.from(raw) }, 'request-malformed')
  return rewritten instanceof Promise ? rewritten.then(toText) : toText(rewritten)
}

/** Rewrites the path that matched the policy's. @throws {Problem} `request-malformed`, `policy-refused`. */
export function rewritePath(
  direction: CompiledDirection,
  raw: string,
): RewrittenText | Promise<RewrittenText> {
  const segments = raw.split('/')
  const met: BoundRule[] = []
  const written = direction.path.map((rule, index) => {
    const segment = segments[index] ?? ''
    if (typeof rule === 'string') return segment
    met.push(rule)
    return changeText(rule, decodeSegment(segment), (text) => writeSegment(rule, text, segment))
  })
  const toText = (texts: readonly (string | undefined)[]) => ({
    text: texts.join('/'),
    manifest: manifestOf(met),
    unnamed: 0,
  })
  return allOf(written, toText)
}

/** Rewrites header fields; names are lower case. What no rule names is left out, never refused. */
export function rewriteHeaders(
  direction: CompiledDirection,
  headers: Iterable<readonly [string, string]>,
): RewrittenHeaders | Promise<RewrittenHeaders> {
  const met: BoundRule[] = []
  const names: string[] = []
  let unnamed = 0
  const values: (string | undefined | Promise<string | undefined>)[] = []
  for (const [name, value] of headers) {
    const rule = direction.headers.get(name)
    if (rule === undefined) unnamed++
    else {
      met.push(rule)
      names.push(name)
      values.push(changeText(rule, value, (text) => fieldValue(rule, text ?? value)))
    }
  }
  return allOf(values, (texts) => ({
    headers: texts.flatMap((text, index) =>
      text === undefined ? [] : ([[names[index] ?? '', text]] as const),
    ),
    manifest: manifestOf(met),
    unnamed,
  }))
}

// prettier-ignore
function run(format: BodyFormat, program: Program, body: Readable, slug: ProblemSlug): Rewritten | Promise<Rewritten> {
  const rewriter = walk(format, program, body, slug)
  if (!rewriter.isLater()) return rewriter.finish()
  // The second run takes the same way through the same bytes, with every answer at hand.
  return rewriter.settle().then((replay) => walk(format, program, body, slug, replay).finish())
}

// prettier-ignore
function walk(
  format: BodyFormat, program: Program, { text, fault: charset }: Readable, slug: ProblemSlug, replay?: readonly Change[],
): Rewriter {
  const codec = formatType(format).open(format, program, slug)
  const { end, fault = charset } = readableTo(codec, text, 0, text.length, 0)
  const rewriter = startRewrite(program, codec.spelling, text, replay)
  const reader = codec.read(rewriter, false)
  if (fault !== undefined && reader.placeAt === undefined) throw fault
  let at = 0
  do at = reader.advance(text, fault === undefined, at, end)
  while (reader.paused)
  // What stands before is read first, for the row that it is in.
  if (fault !== undefined) throw misplaced(fault, reader, text, at, end)
  return rewriter
}

/** @param write gets the new text, undefined to leave the value as it is. */
function changeText(
  rule: BoundRule,
  value: string,
  write: (text: string | undefined) => string,
): string | undefined | Promise<string | undefined> {
  const conclude = (change: Change): string | undefined => {
    if (change.change === 'keep') return write(undefined)
    if (change.change === 'text') return write(change.text)
    if (change.change === 'token') return write(change.text())
    if (change.change === 'json') return write(textOfJson(change.json))
    if (change.change === 'drop') return undefined
    throw unsuitable(rule, change.change === 'refuse' ? change.why : 'the answer did not come')
  }
  const change = rule.transform(new Personal('string', value))
  return change.change === 'later' ? settle(change).then(conclude) : conclude(change)
}

function allOf<Result>(
  texts: readonly (string | undefined | Promise<string | undefined>)[],
  conclude: (texts: readonly (string | undefined)[]) => Result,
): Result | Promise<Result> {
  if (texts.some((text) => text instanceof Promise)) return Promise.all(texts).then(conclude)
  return conclude(texts as readonly (string | undefined)[])
}

function manifestOf(met: readonly BoundRule[]): ManifestEntry[] {
  const counts = new Map<BoundRule, number>()
  for (const rule of met) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return [...counts].map(([rule, count]) => ({ ...rule.entry, count }))
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new Problem('request-malformed', 'a path segment has escapes that are not UTF-8', {
      cause,
    })
  }
}

/** @throws {Problem} for a segment that a recipient would read as another path. */
function writeSegment(rule: BoundRule, text: string | undefined, raw: string): string {
  const plain = text ?? decodeSegment(raw)
  if (/^\.{0,2}$|[/\\\p{Cc}]/u.test(plain)) throw unsuitable(rule, 'it changes the path')
  return text === undefined ? raw : encodeText(text)
}

/** @throws {Problem} for a value that would end the field (RFC 9110 §5.5). */
function fieldValue(rule: BoundRule, text: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw unsuitable(rule, 'it is no field value')
  return text
}

function unsuitable(rule: BoundRule, why: string): Problem {
  return new Problem('value-unsuitable', `\`${rule.text}\`: ${why}`)
}
