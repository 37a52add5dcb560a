/** tokenize: a value leaves as a token, which its owner alone can have turned back. @module */
import { domainOf } from '../token/domain.ts'
import { createFormatCipher } from '../token/format-token.ts'
import { FORMAT_KINDS, type Format, formatOfTemplate, formatsOfKind } from '../token/format.ts'
import { createMint } from '../token/opaque.ts'
import type { KeyRing } from '../token/ring.ts'
import { createVault, type Vault, type VaultPorts } from '../token/vault.ts'
import { KEEP, replaceBy, toRefusal, toText } from './change.ts'
import { type Complain, type Parameters, quoted, readParameters } from './parameters.ts'
import type { Transform, TransformType } from './transform.ts'

/** NIST SP 800-38G Rev. 1 §4: a smaller domain is no protection. */
const FORMAT_SIZE_MIN = 1_000_000n
/** Why a value cannot become an opaque or vaulted token. */
export const TOO_LONG = 'expected well-formed text of at most 4,096 bytes'
const VAULT_PARAMETERS = ['ttl', 'once'] as const
/** The parameters of a format, which `tokenize` and `reveal` share. */
export const FORMAT_PARAMETERS = ['template', 'as'] as const

/**
 * `{ tokenize: opaque }`, `format-preserving`, or `{ form: vaulted, ttl: 30d, once: true }`, which is
 * random. A JSON number becomes a string token of its source spelling.
 */
export function createTokenize(keys: KeyRing, vault?: VaultPorts): TransformType {
  return (action, binding, complain) => {
    const names = [...FORMAT_PARAMETERS, ...VAULT_PARAMETERS]
    const parameters = readParameters(action, complain, 'form', names)
    const form = parameters.choice('form', ['opaque', 'format-preserving', 'vaulted'], 'opaque')
    const others = form === 'vaulted' ? FORMAT_PARAMETERS : VAULT_PARAMETERS
    for (const name of form === 'opaque' ? names : others) {
      if (parameters.has(name))
        complain(`\`${form}\` tokens have no \`${name}\``, `remove \`${name}\``)
    }
    const domain = domainOf(binding)
    if (form === 'opaque') return replaceBy(createMint(keys, domain, 'tok'), TOO_LONG)
    if (form === 'vaulted') {
      const life = { ttlMs: readTtl(parameters, complain), once: parameters.flag('once') }
      if (vault !== undefined) return replaceByVault(createVault(keys, domain, vault, life))
      complain('`tokenize: vaulted` needs a vault', 'configure one')
    }
    const formats = readFormats(parameters, binding.kind, complain)
    if (form === 'format-preserving' && formats.length === 0) {
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
  const help = "type for example `template: 'E########'`, `as: 'T########'`"
  if (typeof format === 'string') complain(format, help)
  else if (format.size >= FORMAT_SIZE_MIN) return [format]
  else {
    const message = `\`template\` has ${format.size} values; fewer than 1,000,000 can be guessed`
    complain(message, help, 'P117')
  }
  return []
}

const TTL = /^([1-9]\d{0,4})([mhd])$/
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function readTtl(parameters: Parameters, complain: Complain): number {
  const [, count, unit = ''] = TTL.exec(parameters.text('ttl', '30d')) ?? []
  if (count === undefined) complain('`ttl` is not a time to live', 'type for example `ttl: 30d`')
  return Number(count) * (UNIT_MS[unit] ?? 0)
}

function replaceByVault(vault: Vault): Transform {
  const unsuitable = toRefusal(TOO_LONG)
  return (value) => {
    if (value.type === 'null') return KEEP
    const minted = vault.mint(value.reveal())
    const result = minted.then((text) => (text === undefined ? unsuitable : toText(text)))
    return { change: 'later', result }
  }
}
