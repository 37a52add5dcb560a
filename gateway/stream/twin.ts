/** Decides a long body a second time, by a policy version that is only being watched. @module */
import type { BodyTraces } from '../transform/transform.ts'
import { type Screen, type ScreenOptions, startScreen } from './screen.ts'

/** Sees the parts that the passage sees, before it does, and lets nothing out; never throws. */
export interface Twin {
  write(piece: Buffer): void
  end(): void
  /** What it did until it ended, or stopped. */
  traces(): BodyTraces
  /** Why it stopped; what is no Problem is a bug. */
  readonly stopped: () => unknown
  /** Whether it took all of the body. */
  readonly whole: () => boolean
}

/** @param open may throw: then it has stopped before the first part. */
export function startTwin(open: () => ScreenOptions): Twin {
  let screen: Screen | undefined
  let stopped: unknown
  let whole = false
  const attempt = (step: () => void): void => {
    if (stopped !== undefined) return
    try {
      step()
    } catch (error) {
      stopped = error
    }
  }
  attempt(() => {
    screen = startScreen(open())
  })
  return {
    write: (piece) => attempt(() => screen?.write(piece)),
    end: () =>
      attempt(() => {
        screen?.end()
        whole = true
      }),
    traces: () => screen?.traces() ?? { manifest: [], unnamed: 0, captured: new Map() },
    stopped: () => stopped,
    whole: () => whole,
  }
}
