/** Bodies without parts: plain text is one value, `$`; other bytes pass or do not. @module */
import { createHash } from 'node:crypto'
import type { Spelling } from '../program.ts'
import { spanText } from '../source.ts'
import { takesParts } from '../parts.ts'
import type { BodySink, Codec, OpenCodec, Reader } from './codec.ts'
import { textOfJson } from './form.ts'

/** Reads text as one string. */
export const openText: OpenCodec = (_format, program) => ({
  spelling: WHOLE_SPELLING,
  isText: true,
  read: (sink, resumable) => (resumable && takesParts(program) ? readParts(sink) : readText(sink)),
})

/** Reads bytes of any kind, and digests them. */
export const openBinary = (): Codec => ({
  spelling: WHOLE_SPELLING,
  isText: false,
  read: readBinary,
})

const WHOLE_SPELLING: Spelling = {
  nameQuote: 0,
  readName: () => '',
  readScalar: (source, _type, start, end) => spanText(source, start, end),
  toJson: (source, start, end) => JSON.stringify(spanText(source, start, end)),
  writeName: () => '',
  writeText: (text) => text,
  writeJson: textOfJson,
}

function readText(sink: BodySink): Reader {
  return {
    offset: 0,
    paused: false,
    row: undefined,
    advance(_bytes, last, start, end) {
      if (last) sink.scalar('string', 0, end)
      return last ? end : start
    },
  }
}

function readParts(sink: BodySink): Reader {
  return {
    offset: 0,
    paused: false,
    row: undefined,
    advance(_bytes, last, start, end) {
      sink.part(start, end, last)
      return end
    },
  }
}

function readBinary(sink: BodySink): Reader {
  const sha256 = createHash('sha256')
  sink.open(false, -1, 'bytes')
  return {
    offset: 0,
    paused: false,
    row: undefined,
    advance(bytes, last, start, end) {
      sha256.update(bytes.subarray(start, end))
      if (last) sink.close(end, writeDigest(sha256.digest()))
      return end
    },
  }
}

/** How a digest stands in a claim. */
export function writeDigest(sha256: Buffer): string {
  return `sha-256:${sha256.toString('hex')}`
}
