/** tokenize: a value leaves as a token, which its owner alone can have turned back. @module */
import { domainOf } from '../token/domain.ts'
import { createFormatCipher } from '../token/format-token.ts'
import { FORMAT_KINDS, type Format, formatOfTemplate, formatsOfKind } from '../token/format.ts'
import { createMint } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { type Complain, type Parameters, quoted, readParameters } from './parameters.ts'
import { KEEP } from './plain.ts'
import type { Change, Transform, TransformType } from './transform.ts'

/** The parameters of a format, which `tokenize` and `reveal` share. */
export const FORMAT_PARAMETERS = ['template', 'as'] as const

/**
 * `{ tokenize: opaque }` or `format-preserving`. A JSON number becomes a string token of its source
 * spelling: a token has no reason to be counted with.
 */
export function createTokenize(keys: KeyRing): TransformType {
  return (action, binding, complain) => {
    const parameters = readParameters(action, complain, 'form', FORMAT_PARAMETERS)
    const form = parameters.choice('form', ['opaque', 'format-preserving'], 'opaque')
    const domain = domainOf(binding)
    if (form === 'opaque') {
      const why = 'expected well-formed text of at most 4,096 bytes'
      return replaceBy(createMint(keys, domain, 'tok'), why)
    }
    const formats = readFormats(parameters, binding.kind, complain)
    if (formats.length === 0) {
      const help = `expected a \`kind\` of ${quoted(FORMAT_KINDS)}, or \`template\` and \`as\``
      complain('`tokenize: format-preserving` has no format for this field', help)
    }
    const why = `expected a value of the form of \`${binding.kind}\``
    return replaceBy(createFormatCipher(keys, domain, formats).mint, why)
  }
}

/** The formats that the parameters or else the kind name; none when neither does. */
export function readFormats(
  parameters: Parameters,
  kind: string,
  complain: Complain,
): readonly Format[] {
  if (!FORMAT_PARAMETERS.some((name) => parameters.has(name))) return formatsOfKind(kind)
  const format = formatOfTemplate(parameters.text('template'), parameters.text('as'))
  if (typeof format !== 'string') return [format]
  complain(format, "type for example `template: 'E########'`, `as: 'T########'`")
  return []
}

/** Replaces every value but null; refuses, for the given reason, what has no replacement. */
export function replaceBy(replace: (value: string) => string | undefined, why: string): Transform {
  const unsuitable: Change = { change: 'refuse', why }
  return (value) => {
    if (value.type === 'null') return KEEP
    const text = replace(value.reveal())
    return text === undefined ? unsuitable : { change: 'text', text }
  }
}
