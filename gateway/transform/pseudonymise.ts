/** pseudonymise: a keyed one-way pseudonym of the value. @module */
import { domainOf } from '../token/domain.ts'
import { createPseudonym } from '../token/pseudonym.ts'
import type { KeyRing } from '../token/ring.ts'
import { readParameters } from './parameters.ts'
import { KEEP } from './plain.ts'
import type { TransformType } from './transform.ts'

/** `{ pseudonymise: hmac-sha-256 }` or `hmac-sm3`: equal values of one domain get equal pseudonyms. */
export function createPseudonymise(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'algorithm')
    const algorithms = ['hmac-sha-256', 'hmac-sm3'] as const
    const algorithm = parameters.choice('algorithm', algorithms, 'hmac-sha-256')
    const hash = algorithm === 'hmac-sm3' ? 'sm3' : 'sha256'
    const pseudonym = createPseudonym(keys, domainOf(binding), hash)
    return (value) =>
      value.type === 'null' ? KEEP : { change: 'text', text: pseudonym(value.reveal()) }
  }
}
