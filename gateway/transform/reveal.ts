/** reveal: a token comes home, and its owner gets the value in clear. @module */
import { homeDomainOf } from '../token/domain.ts'
import { createFormatCipher } from '../token/format-token.ts'
import { createReveal } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { readToken } from '../token/text.ts'
import { createVault, type VaultPorts } from '../token/vault.ts'
import { DROP, KEEP, toRefusal, toText } from './change.ts'
import { readParameters } from './parameters.ts'
import { FORMAT_PARAMETERS, readFormats } from './tokenize.ts'
import type { TransformType } from './transform.ts'

/**
 * `{ reveal: mobile }`. What is not a live token of this owner, holder, purpose and kind is refused:
 * a token of somebody else's domain, a forged one and a clear value look alike to the caller.
 */
export function createRevealTransform(keys: KeyRing, vaultPorts?: VaultPorts): TransformType {
  return (action, binding, complain) => {
    const names = ['otherwise', ...FORMAT_PARAMETERS]
    const parameters = readParameters(action, complain, 'kind', names)
    const kind = parameters.has('kind') ? parameters.text('kind') : binding.kind
    const otherwise = parameters.choice('otherwise', ['refuse', 'drop'], 'refuse')
    const domain = { ...homeDomainOf(binding), kind }
    const reveal = createReveal(keys, domain)
    const format = createFormatCipher(keys, domain, readFormats(parameters, kind, complain))
    const vault = vaultPorts && createVault(keys, domain, vaultPorts, { ttlMs: 0, once: true })
    const why = `expected a \`${kind}\` token made for this recipient and purpose`
    const foreign = otherwise === 'drop' ? DROP : toRefusal(why)
    const answer = (text: string | undefined) => (text === undefined ? foreign : toText(text))
    return (value) => {
      if (value.type === 'null') return KEEP
      if (value.type !== 'string') return foreign
      const source = value.reveal()
      const token = readToken(source)
      if (token?.form === 'vlt' && vault !== undefined) {
        return { change: 'later', result: vault.reveal(token).then(answer) }
      }
      return answer(token === undefined ? format.reveal(source) : reveal(token))
    }
  }
}
