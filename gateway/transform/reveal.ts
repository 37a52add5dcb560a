/** reveal: a token comes home, and its owner gets the value in clear. @module */
import { homeDomainOf } from '../token/domain.ts'
import { createFormatCipher } from '../token/format-token.ts'
import { createReveal } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { readToken } from '../token/text.ts'
import { readParameters } from './parameters.ts'
import { DROP, KEEP } from './plain.ts'
import { FORMAT_PARAMETERS, readFormats } from './tokenize.ts'
import type { Change, TransformType } from './transform.ts'

/**
 * `{ reveal: mobile }`. What is not a live token of this owner, holder, purpose and kind is refused:
 * a token of somebody else's domain, a forged one and a clear value look alike to the caller.
 */
export function createRevealTransform(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const names = ['otherwise', ...FORMAT_PARAMETERS]
    const parameters = readParameters(action, complain, 'kind', names)
    const kind = parameters.has('kind') ? parameters.text('kind') : binding.kind
    const otherwise = parameters.choice('otherwise', ['refuse', 'drop'], 'refuse')
    const domain = { ...homeDomainOf(binding), kind }
    const reveal = createReveal(keys, domain)
    const format = createFormatCipher(keys, domain, readFormats(parameters, kind, complain))
    const why = `expected a \`${kind}\` token made for this recipient and purpose`
    const foreign: Change = otherwise === 'drop' ? DROP : { change: 'refuse', why }
    return (value) => {
      if (value.type === 'null') return KEEP
      if (value.type !== 'string') return foreign
      const source = value.reveal()
      const token = readToken(source)
      const text = token === undefined ? format.reveal(source) : reveal(token)
      return text === undefined ? foreign : { change: 'text', text }
    }
  }
}
