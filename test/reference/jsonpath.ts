/** The meaning of a path, straight from RFC 9535 §2.3 and §2.5: slow, on finished values. @module */
import type { Path, Segment } from '../../gateway/policy/policy.ts'

/** The values that a path selects, in the order of the specification. */
export function evaluatePath(path: Path, document: unknown): unknown[] {
  return path.reduce<unknown[]>(
    (values, segment) => values.flatMap((value) => step(segment, value)),
    [document],
  )
}

function step(segment: Segment, value: unknown): unknown[] {
  if (segment.step === 'descendant') {
    return [...step(segment.of, value), ...children(value).flatMap((child) => step(segment, child))]
  }
  if (segment.step === 'wildcard') return children(value)
  if (segment.step === 'index') {
    return Array.isArray(value) && segment.index < value.length
      ? [value[segment.index] as unknown]
      : []
  }
  const isMember = isObject(value) && Object.hasOwn(value, segment.name)
  return isMember ? [value[segment.name]] : []
}

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[]
  return isObject(value) ? Object.values(value) : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
