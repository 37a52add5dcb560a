/**
 * Reads one HTTP/1.1 answer from a recipient's connection (RFC 9112). Strict where two readers could
 * disagree: whatever is not plainly framed is a fault, and its connection is not used again. @module
 */

/** A whole answer. */
export interface ReadAnswer {
  readonly status: number
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Whether the connection can carry another request. */
  readonly keep: boolean
  /** Whether this is all; else its body goes on, and is taken by `takeBody`. */
  readonly whole: boolean
}

/** Bounds of one answer. */
export interface AnswerBounds {
  readonly headBytesMax: number
  readonly bodyBytesMax: number
  /** Whether a longer body may be taken in parts. */
  readonly long: boolean
}

/** Reads what one connection carries for one request. */
export interface AnswerReader {
  /** @returns the answer once it is whole; before, once it is known to be long. @throws {AnswerFault} */
  push(chunk: Buffer): ReadAnswer | undefined
  /** What has come of a long body since. */
  takeBody(): readonly Buffer[]
  /** The connection has ended. @returns the answer when its end is what ends it. */
  end(): ReadAnswer | undefined
  /** Whether a byte has come, and whether a final head has. */
  readonly begun: () => boolean
  readonly hasHead: () => boolean
}

/** What is wrong with an answer. */
export class AnswerFault extends Error {
  readonly tooLarge: boolean
  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

const EMPTY = Buffer.alloc(0)
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
/** RFC 9110 §5.1 and §5.5; a folded line (RFC 9112 §5.2) begins with a blank and is refused. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/
const LENGTH = /^\d{1,15}$/
/** RFC 9112 §7.1; extensions say nothing to us. */
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
/** Bytes of a chunk's size line. */
const SIZE_LINE_BYTES_MAX = 256

interface Head {
  readonly status: number
  readonly rawHeaders: readonly string[]
  /** Bytes; `chunked`; or until the connection ends. */
  readonly length: number | 'chunked' | 'end'
  readonly keep: boolean
}

interface State extends AnswerBounds {
  readonly bodiless: boolean
  step: 'head' | 'body' | 'size' | 'data' | 'trailer'
  head: Head | undefined
  begun: boolean
  /** Whether its receiver knows that it is long. */
  told: boolean
  /** Read and not yet understood: part of a line. */
  rest: Buffer
  chunks: Buffer[]
  length: number
  /** Of the chunk under way, with the line end that follows it. */
  left: number
}

/** @param method of the request: an answer to HEAD has no body (RFC 9110 §9.3.2). */
export function createAnswerReader(method: string, bounds: AnswerBounds): AnswerReader {
  const state: State = {
    headBytesMax: bounds.headBytesMax,
    bodyBytesMax: bounds.bodyBytesMax,
    long: bounds.long,
    bodiless: method === 'HEAD',
    step: 'head',
    head: undefined,
    begun: false,
    told: false,
    rest: EMPTY,
    chunks: [],
    length: 0,
    left: 0,
  }
  return {
    push: (chunk) => {
      state.begun = true
      state.rest = state.rest.length === 0 ? chunk : Buffer.concat([state.rest, chunk])
      return read(state) ?? tell(state)
    },
    takeBody: () => state.chunks.splice(0),
    end: () => {
      if (state.step !== 'body' || state.head?.length !== 'end') return undefined
      return finish(state, state.head)
    },
    begun: () => state.begun,
    hasHead: () => state.head !== undefined,
  }
}

/** Says once that an answer is long. */
function tell(state: State): ReadAnswer | undefined {
  const { head, length, bodyBytesMax, told } = state
  if (head === undefined || told) return undefined
  const declared = typeof head.length === 'number' ? head.length : 0
  if (Math.max(length, declared) <= bodyBytesMax) return undefined
  state.told = true
  return {
    status: head.status,
    rawHeaders: head.rawHeaders,
    body: EMPTY,
    keep: false,
    whole: false,
  }
}

function read(state: State): ReadAnswer | undefined {
  while (state.head === undefined) if (!readHead(state)) return undefined
  const { head } = state
  if (state.step === 'body') {
    const want = typeof head.length === 'number' ? head.length - state.length : Infinity
    take(state, want)
    return state.length === head.length ? finish(state, head) : undefined
  }
  return readChunks(state) ? finish(state, head) : undefined
}

/** @returns whether a head was read, a provisional one (1xx) included. */
function readHead(state: State): boolean {
  const end = state.rest.indexOf('\r\n\r\n')
  if ((end === -1 ? state.rest.length : end) > state.headBytesMax)
    throw new AnswerFault('its head is too large')
  if (end === -1) return false
  const lines = state.rest.toString('latin1', 0, end).split('\r\n')
  state.rest = state.rest.subarray(end + 4)
  const [, minor, code] = STATUS_LINE.exec(lines[0] ?? '') ?? []
  if (minor === undefined) throw new AnswerFault('its status line is not HTTP/1.1')
  const status = Number(code)
  if (status === 101) throw new AnswerFault('it switches protocols')
  const head = frame(state, status, lines, minor === '1')
  if (status < 200) return true // RFC 9110 §15.2: the final one follows.
  state.head = head
  state.step = head.length === 'chunked' ? 'size' : 'body'
  return true
}

/** How the body ends: RFC 9112 §6.3. */
function frame(
  { bodiless, bodyBytesMax, long }: State,
  status: number,
  lines: readonly string[],
  persistent: boolean,
): Head {
  const rawHeaders: string[] = []
  let [coding, declared, connection]: (string | undefined)[] = []
  for (let i = 1; i < lines.length; i++) {
    const [, name, value] = FIELD_LINE.exec(lines[i] ?? '') ?? []
    if (name === undefined || value === undefined) throw new AnswerFault('a field is malformed')
    const text = value.trimEnd()
    rawHeaders.push(name, text)
    const lower = name.toLowerCase()
    if (lower === 'transfer-encoding') {
      if (coding !== undefined) throw new AnswerFault('it has two transfer codings')
      coding = text.toLowerCase()
    } else if (lower === 'content-length') {
      if (declared !== undefined) throw new AnswerFault('it has two lengths')
      declared = text
    } else if (lower === 'connection') {
      connection = `${connection ?? ''},${text.toLowerCase()}`
    }
  }
  const keep = persistent && !/(?:^|,)\s*close\s*(?:,|$)/.test(connection ?? '')
  const known = { status, rawHeaders }
  if (declared !== undefined && !LENGTH.test(declared)) throw new AnswerFault('no length')
  if (coding !== undefined && (coding !== 'chunked' || declared !== undefined || !persistent))
    throw new AnswerFault('it is framed in two ways, or in none that is known')
  if (bodiless || status === 204 || status === 304) return { ...known, length: 0, keep }
  if (coding !== undefined) return { ...known, length: 'chunked', keep }
  if (declared === undefined) return { ...known, length: 'end', keep: false }
  const length = Number(declared)
  if (length > bodyBytesMax && !long) throw new AnswerFault('too large', true)
  return { ...known, length, keep }
}

/** Moves up to `want` bytes of the rest into the body. */
function take(state: State, want: number): void {
  const { rest } = state
  const bytes = rest.length <= want ? rest : rest.subarray(0, want)
  state.rest = rest.length <= want ? EMPTY : rest.subarray(want)
  if (bytes.length === 0) return
  state.length += bytes.length
  if (state.length > state.bodyBytesMax && !state.long) throw new AnswerFault('too large', true)
  state.chunks.push(bytes)
}

/** @returns whether the last chunk and its trailer have come. */
function readChunks(state: State): boolean {
  for (;;) {
    if (state.step === 'data') {
      const before = state.length
      if (state.left > 0) take(state, state.left)
      state.left -= state.length - before
      if (state.left > 0 || state.rest.length < 2) return false
      if (state.rest.readUInt16BE(0) !== 0x0d0a) throw new AnswerFault('a chunk is too long')
      state.rest = state.rest.subarray(2)
      state.step = 'size'
    }
    const line = takeLine(state)
    if (line === undefined) return false
    if (state.step === 'trailer') {
      if (line === '') return true
      // RFC 9110 §6.5.1: trailer fields may be dropped.
      if (!FIELD_LINE.test(line)) throw new AnswerFault('a trailer field is malformed')
      continue
    }
    const size = CHUNK_SIZE.exec(line)?.[1]
    if (size === undefined) throw new AnswerFault('a chunk has no size')
    state.left = Number.parseInt(size, 16)
    if (state.length + state.left > state.bodyBytesMax && !state.long)
      throw new AnswerFault('too large', true)
    state.step = state.left === 0 ? 'trailer' : 'data'
  }
}

function takeLine(state: State): string | undefined {
  const end = state.rest.indexOf('\r\n')
  const max = state.step === 'trailer' ? state.headBytesMax : SIZE_LINE_BYTES_MAX
  if ((end === -1 ? state.rest.length : end) > max) throw new AnswerFault('a line is too long')
  if (end === -1) return undefined
  const line = state.rest.toString('latin1', 0, end)
  state.rest = state.rest.subarray(end + 2)
  return line
}

function finish({ chunks, rest, length, told }: State, head: Head): ReadAnswer {
  return {
    status: head.status,
    rawHeaders: head.rawHeaders,
    body: told ? EMPTY : join(chunks, length),
    whole: true,
    // What follows an answer that nobody asked for belongs to nothing.
    keep: head.keep && rest.length === 0,
  }
}

function join(chunks: readonly Buffer[], length: number): Buffer {
  const [only] = chunks
  return chunks.length === 1 && only ? only : Buffer.concat(chunks, length)
}
