/** What the relay asks of the content in force. @module */
import type { Content } from './content.ts'
import { allowedBy } from './guard/allowed.ts'
import type { OutboundMessage } from './guard/guard.ts'
import type { RelayPorts } from './http/relay.ts'
import { namesOfRules } from './policy/public-path.ts'
import type { LoadedPolicy } from './policy/registry.ts'
import type { Route } from './route.ts'
import { linkPseudonym } from './token/link.ts'

/** Binds the relay to content that may be replaced while it runs. */
export function steerBy(current: () => Content): Pick<RelayPorts, 'match' | 'guard' | 'pseudonym'> {
  // What each direction allows is worked out once per loaded policy.
  const known = new WeakMap<object, Pick<OutboundMessage, 'allowed' | 'names'>>()
  return {
    match: (from, to, method, path) => {
      const match = current().registry.match(from, to, method, path)
      if (match === undefined) return undefined
      const route = routeOf(match.enforced)
      return match.shadow === undefined ? route : { ...route, shadow: routeOf(match.shadow) }
    },
    guard: (policy, direction, message) => {
      const rules = policy[direction]
      const says = known.get(rules) ?? {
        allowed: allowedBy(rules),
        names: namesOfRules(rules.fields),
      }
      known.set(rules, says)
      const { dialect = rules.body } = message
      current().guard.inspect({ ...message, dialect, ...says })
    },
    pseudonym: (name, value) => linkPseudonym(current().keys, name, value),
  }
}

function routeOf({ policy, route }: LoadedPolicy): Route {
  return { policy, compiled: route }
}
