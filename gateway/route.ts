/** A matched route. @module */
import type { Policy } from './policy/policy.ts'
import type { CompiledRoute } from './transform/compile.ts'

/** A policy version, bound to keys and ready to rewrite both directions. */
export interface Route {
  readonly policy: Policy
  readonly compiled: CompiledRoute
  /** A version that is only being watched. */
  readonly shadow?: Route
}
