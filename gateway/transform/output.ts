/** What a message becomes: spans of the input and texts between them, copied once at the end. @module */

/** A token that is made when it is asked for, together with others. */
export type LateText = () => string

/** Spans and texts in order of appearance. */
export interface Output {
  /** Pairs of start and end in the input; an equal, negative pair names a text. */
  readonly spans: number[]
  readonly texts: (string | LateText)[]
  /** Places that somebody wants to find in what is written: marks, as pairs of length and end. */
  readonly cuts: number[]
  /** Stands on each side of what is late. */
  readonly tokenQuote: string
}

/** A place in the output to return to. */
export interface Mark {
  readonly length: number
  readonly end: number
}

/** What was written, and where the cuts are in it. */
export interface Written {
  readonly bytes: Buffer
  readonly cuts: number[]
}

/** Starts with nothing. */
export function startOutput(tokenQuote = ''): Output {
  return { spans: [], texts: [], cuts: [], tokenQuote }
}

/** Appends a span of the input. */
export function putSpan(output: Output, start: number, end: number): void {
  const { spans } = output
  const top = spans.length
  if (top > 0 && spans[top - 1] === start) spans[top - 1] = end
  else spans.push(start, end)
}

/** Appends a text. */
export function putText(output: Output, text: string | LateText): void {
  const place = -output.texts.push(text)
  output.spans.push(place, place)
}

/** Remembers the place. */
export function mark(output: Output): Mark {
  const { length } = output.spans
  return { length, end: output.spans[length - 1] ?? 0 }
}

/** Takes back what came after the mark. */
export function rollBack(output: Output, { length, end }: Mark): void {
  const { spans, cuts } = output
  spans.length = length
  if (length > 0) spans[length - 1] = end
  for (let at = cuts.length - 2; at >= 0 && (cuts[at] as number) >= length; at -= 2) {
    if (cuts[at] === length && (cuts[at + 1] as number) <= end) continue
    cuts[at] = length
    cuts[at + 1] = end
  }
}

/** Wants to know where this place is in what is written. */
export function cut({ spans, cuts }: Output): void {
  cuts.push(spans.length, spans[spans.length - 1] ?? 0)
}

/** Copies everything into one buffer, and begins anew. */
export function assemble(output: Output, input: Buffer): Written {
  const { spans, texts, cuts } = output
  const bytes = Buffer.allocUnsafe(sizeOf(output))
  const places: number[] = []
  let at = 0
  let next = 0
  for (let i = 0; i <= spans.length; i += 2) {
    // What was put behind a cut may have made its span longer.
    for (; next < cuts.length && cuts[next] === i; next += 2) {
      const end = spans[i - 1] ?? 0
      places.push(end < 0 ? at : at - end + (cuts[next + 1] as number))
    }
    if (i === spans.length) break
    const start = spans[i] as number
    if (start < 0) at += bytes.write(texts[-start - 1] as string, at)
    else at = copy(input, start, spans[i + 1] as number, bytes, at)
  }
  spans.length = 0
  texts.length = 0
  cuts.length = 0
  return { bytes: bytes.subarray(0, at), cuts: places }
}

/** Makes what is late, and says how many bytes are enough. */
function sizeOf({ spans, texts, tokenQuote }: Output): number {
  let size = 0
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] as number
    if (start >= 0) size += (spans[i + 1] as number) - start
    else {
      const text = texts[-start - 1] as string | LateText
      const written = typeof text === 'string' ? text : tokenQuote + text() + tokenQuote
      texts[-start - 1] = written
      // To count them costs as much as to write them.
      size += written.length < SHORT ? 3 * written.length : Buffer.byteLength(written)
    }
  }
  return size
}

/** Below this, a loop costs less than a call; and three bytes for each UTF-16 unit are no waste. */
const SHORT = 24

function copy(input: Buffer, start: number, end: number, bytes: Buffer, at: number): number {
  if (end - start >= SHORT) return at + input.copy(bytes, at, start, end)
  let to = at
  for (let from = start; from < end; from++) bytes[to++] = input[from] as number
  return to
}
