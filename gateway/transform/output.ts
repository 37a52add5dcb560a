/** What a message becomes: spans of the input and texts between them, copied once at the end. @module */

/** Spans and texts in order of appearance. */
export interface Output {
  /** Pairs of start and end in the input; an equal, negative pair names a text. */
  readonly spans: number[]
  readonly texts: string[]
}

/** A place in the output to return to. */
export interface Mark {
  readonly length: number
  readonly end: number
}

/** Appends a span of the input. */
export function putSpan(output: Output, start: number, end: number): void {
  const { spans } = output
  const top = spans.length
  if (top > 0 && spans[top - 1] === start) spans[top - 1] = end
  else spans.push(start, end)
}

/** Appends a text. */
export function putText(output: Output, text: string): void {
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
  output.spans.length = length
  if (length > 0) output.spans[length - 1] = end
}

/** Copies everything into one buffer. */
export function assemble({ spans, texts }: Output, input: Buffer): Buffer {
  let size = 0
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] as number
    size +=
      start < 0 ? Buffer.byteLength(texts[-start - 1] as string) : (spans[i + 1] as number) - start
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (let i = 0; i < spans.length; i += 2) {
    const start = spans[i] as number
    at +=
      start < 0
        ? bytes.write(texts[-start - 1] as string, at)
        : input.copy(bytes, at, start, spans[i + 1])
  }
  return bytes
}
