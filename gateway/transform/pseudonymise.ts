/** pseudonymise: a keyed one-way pseudonym of the value. @module */
import { domainOf } from '../token/domain.ts'
import { createPseudonym } from '../token/pseudonym.ts'
import type { KeyRing } from '../token/ring.ts'
import { replaceBy } from './change.ts'
import { readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

/** `{ pseudonymise: hmac-sha-256 }` or `hmac-sm3`: equal values of one domain get equal pseudonyms. */
export function createPseudonymise(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'algorithm')
    const algorithms = ['hmac-sha-256', 'hmac-sm3'] as const
    const algorithm = parameters.choice('algorithm', algorithms, 'hmac-sha-256')
    const hash = algorithm === 'hmac-sm3' ? 'sm3' : 'sha256'
    return replaceBy(createPseudonym(keys, domainOf(binding), hash))
  }
}
