/** translate: a third party's token of a borrower becomes the one that the recipient knows. @module */
import { domainOf } from '../token/domain.ts'
import { createMint, createReveal } from '../token/opaque.ts'
import { createPseudonym } from '../token/pseudonym.ts'
import type { KeyRing } from '../token/ring.ts'
import { readToken } from '../token/text.ts'
import { replaceBy } from './change.ts'
import { readParameters } from './parameters.ts'
import type { TransformType } from './transform.ts'

/**
 * `{ translate: pseudonym, owner: sunrise-platform }`: the sender holds a token that the gateway
 * made of the owner's value; the recipient gets the pseudonym, or `token`, under which it knows the
 * same value of the same owner. No clear value and no hash that both could compute goes between
 * them. `purpose` names the one under which the sender got its token, when it is not this policy's.
 */
export function createTranslate(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'as', ['owner', 'purpose'])
    const as = parameters.choice('as', ['pseudonym', 'token'])
    const { owner: sender, holder: recipient, kind } = domainOf(binding)
    const owner = parameters.text('owner')
    if (owner === recipient) complain('`translate` leads back to the owner', 'type `reveal`')
    const purpose = parameters.text('purpose', binding.purpose)
    const reveal = createReveal(keys, { owner, holder: sender, purpose, kind })
    const domain = { owner, holder: recipient, purpose: binding.purpose, kind }
    const rename =
      as === 'token' ? createMint(keys, domain, 'tok') : createPseudonym(keys, domain, 'sha256')
    return replaceBy((source) => {
      const token = readToken(source)
      const clear = token === undefined ? undefined : reveal(token)
      return clear === undefined ? undefined : rename(clear)
    }, `expected a \`${kind}\` token of \`${owner}\``)
  }
}
