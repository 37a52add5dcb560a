/** Where in a JSON document a byte stands, for a message: looked up when there is something to tell. @module */
import { decodeString } from '../../base/json-token.ts'
import { type JsonSink, scanJson } from '../../base/json-scan.ts'
import { Problem } from '../../base/problem.ts'
import type { Path, Segment } from '../policy/policy.ts'

/** The path of the scalar that holds a byte; of its container when a name does. Nothing when it is no JSON. */
export function pathAt(bytes: Buffer, offset: number): Path | undefined {
  const open: { isArray: boolean; index: number }[] = []
  const steps: Segment[] = []
  let found: Path | undefined
  const next = (step: Segment) => {
    steps.length = open.length - 1
    steps.push(step)
  }
  const sink: JsonSink = {
    member(_lead, _hash, start, end, text) {
      next({ step: 'name', name: text ?? decodeString(bytes, start, end) })
      if (start <= offset && offset < end) found = steps.slice(0, -1)
    },
    element() {
      const top = open.at(-1)
      if (top !== undefined) next({ step: 'index', index: top.index++ })
    },
    scalar(_type, start, end) {
      if (start <= offset && offset < end) found = [...steps]
    },
    open(isArray) {
      open.push({ isArray, index: 0 })
      return true
    },
    close() {
      open.pop()
      steps.length = open.length
    },
  }
  try {
    scanJson(bytes, sink)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
  }
  return found
}
