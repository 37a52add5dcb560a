/** Runs a body through the engine in one piece and in pieces; what comes of it must be the same. @module */
import { expect } from 'chai'
import { Problem } from '../../../base/problem.ts'
import type { RowBatch } from '../../../evidence/rows/ledger.ts'
import type { CompiledDirection } from '../../../gateway/transform/compile.ts'
import type { BodyFormat } from '../../../gateway/transform/format.ts'
import { rewriteBody } from '../../../gateway/transform/rewrite.ts'
import { startBodyStream, type StreamHooks } from '../../../gateway/transform/stream.ts'
import type { Rewritten } from '../../../gateway/transform/transform.ts'

/** What came of a body: what leaves, and what the evidence says; or `slug: detail`. */
export type Outcome =
  string | { readonly bytes: Buffer; readonly claims: readonly string[]; readonly rest: unknown }

/** Rewrites in one piece. */
export function whole(direction: CompiledDirection, body: Buffer, format: BodyFormat): Outcome {
  return outcome(() => rewriteBody(direction, body, format) as Rewritten)
}

/** Rewrites in pieces that end at `cuts`. */
export function pieces(
  direction: CompiledDirection,
  body: Buffer,
  format: BodyFormat,
  cuts: readonly number[],
  hooks: StreamHooks = {},
): Outcome {
  return outcome(() => {
    const stream = startBodyStream(direction, format, hooks)
    const ends = [...cuts, body.length]
    const parts = ends.map((end, index) => stream.write(body.subarray(ends[index - 1] ?? 0, end)))
    const last = stream.end()
    return {
      ...last,
      bytes: Buffer.concat([...parts.map(({ bytes }) => bytes), last.bytes]),
      claims: [...parts.flatMap(({ claims }) => claims), ...last.claims],
    }
  })
}

/** Rewrites in one piece, and checks that cutting anywhere, and row by row, changes nothing. */
export function everyway(direction: CompiledDirection, body: Buffer, format: BodyFormat): Outcome {
  const want = whole(direction, body, format)
  const onRows = () => undefined
  for (let cut = 0; cut <= body.length; cut++) {
    expect(pieces(direction, body, format, [cut]), `cut at ${cut}`).to.deep.equal(want)
    const told = pieces(direction, body, format, [cut], { onRows })
    expect(told, `rows, cut at ${cut}`).to.deep.equal(want)
  }
  for (const size of [1, 3, 7]) {
    const cuts = Array.from({ length: Math.floor(body.length / size) }, (_, n) => n * size)
    expect(pieces(direction, body, format, cuts), `pieces of ${size}`).to.deep.equal(want)
  }
  return want
}

/** The rows of a batch. */
export function rowsOf({ bytes, cuts }: RowBatch, encoding: 'utf8' | 'hex' = 'utf8'): string[] {
  return Array.from({ length: cuts.length / 2 }, (_, row) =>
    bytes.toString(encoding, cuts[2 * row], cuts[2 * row + 1]),
  )
}

/** The text that leaves, or the refusal. */
export function textOf(got: Outcome): string {
  return typeof got === 'string' ? got : got.bytes.toString()
}

function outcome(run: () => Rewritten): Outcome {
  try {
    const { bytes, claims, manifest, unnamed, captured } = run()
    const values = [...captured].map(([name, value]) => [name, value.type, value.reveal()])
    const named = claims.map(({ name, json }) => `${name} ${json}`)
    return { bytes, claims: named, rest: { manifest, unnamed, values } }
  } catch (error) {
    if (error instanceof Problem) return `${error.slug}: ${error.message}`
    throw error
  }
}
