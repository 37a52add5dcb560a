/** What the relay asks of the content in force. @module */
import type { Content } from './content.ts'
import { type Allowed, allowedBy } from './guard/allowed.ts'
import type { RelayPorts } from './http/relay.ts'
import type { LoadedPolicy } from './policy/registry.ts'
import type { Route } from './route.ts'
import { linkPseudonym } from './token/link.ts'

/** Binds the relay to content that may be replaced while it runs. */
export function steerBy(current: () => Content): Pick<RelayPorts, 'match' | 'guard' | 'pseudonym'> {
  // What each direction allows is worked out once per loaded policy.
  const known = new WeakMap<object, Allowed>()
  return {
    match: (from, to, method, path) => {
      const match = current().registry.match(from, to, method, path)
      if (match === undefined) return undefined
      const route = routeOf(match.enforced)
      return match.shadow === undefined ? route : { ...route, shadow: routeOf(match.shadow) }
    },
    guard: (policy, direction, message) => {
      const rules = policy[direction]
      const allowed = known.get(rules) ?? allowedBy(rules)
      known.set(rules, allowed)
      const { dialect = rules.body } = message
      current().guard.inspect({ ...message, dialect, allowed })
    },
    pseudonym: (name, value) => linkPseudonym(current().keys, name, value),
  }
}

function routeOf({ policy, route }: LoadedPolicy): Route {
  return { policy, compiled: route }
}
