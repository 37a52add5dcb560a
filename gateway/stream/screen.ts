/** What decides about a long body part by part: one set of rules, and the guard behind it. @module */
import type { CompiledDirection } from '../transform/compile.ts'
import type { BodyFormat } from '../transform/format.ts'
import { startBodyStream, type StreamHooks } from '../transform/stream.ts'
import type { BodyTraces } from '../transform/transform.ts'
import { type BodyGuard, startWindows } from './window.ts'

/** By what a body is decided. */
export interface ScreenOptions {
  readonly rules: CompiledDirection
  readonly format: BodyFormat
  /** @throws {Problem} `leak-detected` */
  readonly guard: BodyGuard
}

/** One body on its way. After a Problem nothing more may be written. */
export interface Screen {
  /** @returns what may leave. @throws {Problem} as `rewriteBody` and the guard do. */
  write(piece: Buffer): Buffer
  /** The same for the rest of the body. */
  end(): Buffer
  /** What was done to all that the guard has let pass. */
  readonly traces: () => BodyTraces
}

/** Starts a body. */
export function startScreen({ rules, format, guard }: ScreenOptions, hooks?: StreamHooks): Screen {
  // A commitment to each value would take as much memory as the body: its rows are committed to instead.
  const stream = startBodyStream(
    { ...rules, body: { ...rules.body, claims: undefined } },
    format,
    hooks,
  )
  const windows = startWindows(format, guard, stream)
  let traces: BodyTraces = { manifest: [], unnamed: 0, captured: new Map() }
  const passed = (bytes: Buffer): Buffer => {
    traces = stream.traces()
    return bytes
  }
  return {
    write: (piece) => passed(windows.write(stream.write(piece).bytes)),
    end: () => passed(windows.end(stream.end().bytes)),
    traces: () => traces,
  }
}
