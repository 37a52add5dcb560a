/** tokenize and reveal: a value leaves as a token, and comes back in clear to its owner alone. @module */
import { domainOf, homeDomainOf } from '../token/domain.ts'
import { createMint, createReveal } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { readToken } from '../token/text.ts'
import { readParameters } from './parameters.ts'
import { DROP, KEEP } from './plain.ts'
import type { Change, TransformType } from './transform.ts'

const UNSUITABLE: Change = {
  change: 'refuse',
  why: 'expected well-formed text of at most 4,096 bytes',
}

/** `{ tokenize: opaque }`. A JSON number becomes a string token of its source spelling. */
export function createTokenize(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'form')
    parameters.choice('form', ['opaque'], 'opaque')
    const mint = createMint(keys, domainOf(binding), 'tok')
    return (value) => {
      if (value.type === 'null') return KEEP
      const text = mint(value.reveal())
      return text === undefined ? UNSUITABLE : { change: 'text', text }
    }
  }
}

/**
 * `{ reveal: mobile }`. What is not a live token of this owner, holder, purpose and kind is refused:
 * a token of somebody else's domain, a forged one and a clear value look alike to the caller.
 */
export function createReveals(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'kind', ['otherwise'])
    const kind = parameters.has('kind') ? parameters.text('kind') : binding.kind
    const otherwise = parameters.choice('otherwise', ['refuse', 'drop'], 'refuse')
    const reveal = createReveal(keys, { ...homeDomainOf(binding), kind })
    const foreign: Change =
      otherwise === 'drop'
        ? DROP
        : {
            change: 'refuse',
            why: `expected a \`${kind}\` token made for this recipient and purpose`,
          }
    return (value) => {
      if (value.type === 'null') return KEEP
      const token = value.type === 'string' ? readToken(value.reveal()) : undefined
      const text = token === undefined ? undefined : reveal(token)
      return text === undefined ? foreign : { change: 'text', text }
    }
  }
}
