/** Lints that need the dictionary of kinds. Pure. @module */
import type { Report, Spot } from '../../base/diagnostic.ts'
import { createDetect, surely } from '../guard/detect.ts'
import type { Kinds } from '../guard/kinds.ts'
import { formOf } from './form.ts'
import { LINTS, type LintCode } from './lint.ts'
import type { Policy, Rule } from './policy.ts'

/** Reports what rules do to kinds: errors for what no policy may do, warnings for what is likely a mistake. */
export function lintKinds(
  rules: readonly Rule[],
  policy: Policy,
  kinds: Kinds,
  report: Report,
): void {
  for (const rule of rules) {
    const refuse = (code: LintCode, detail: string, help: string) =>
      report.error(rule.at, `${LINTS[code]}: \`${detail}\``, help, code)
    if (rule.kind !== undefined && formOf(rule) !== 'nothing') {
      const { legal } = policy
      const isWritten = legal.basis === 'written-consent' && legal.consent !== undefined
      if (kinds.get(rule.kind)?.class === 'C3')
        refuse('P113', rule.kind, 'write `drop` or `refuse`')
      if (kinds.deny.never.has(rule.kind)) refuse('P114', rule.kind, 'write `drop` or `refuse`')
      else if (kinds.deny.writtenConsent.has(rule.kind) && !isWritten) {
        const help =
          'write `basis: written-consent` and `consent: { at: … }` under `legal`, or `drop`'
        refuse('P115', rule.kind, help)
      }
    }
    lintKept(rule, kinds, report)
    const as = tokenTemplate(rule)
    const found = as === undefined ? undefined : findAgain(as, nameOf(rule), kinds)
    if (found !== undefined) refuse('P118', found, 'choose other fixed signs for `as`')
  }
}

function lintKept(rule: Rule, kinds: Kinds, report: Report): void {
  if (rule.action.transform !== 'keep' || rule.kind !== undefined) return
  if (rule.reason !== undefined || typeof rule.action.with['keep'] === 'string') return
  const { kinds: said } = kinds.fields.of(nameOf(rule))
  const stopped = [...said].filter((id) => kinds.get(id)?.guard === 'refuse')
  if (stopped.length === 0) return
  const at: Spot = rule.at
  const message = `${LINTS.P116}: \`${rule.text}\` may be \`${stopped.join('`, `')}\``
  report.warning(at, message, 'mask or tokenize it, or add `kind: …` and `reason: …`', 'P116')
}

function nameOf({ path, to }: Rule): string | undefined {
  const last = (to ?? path).at(-1)
  const step = last?.step === 'descendant' ? last.of : last
  return step?.step === 'name' ? step.name : undefined
}

/** `as` of `{ tokenize: { form: format-preserving, as: … } }`. */
function tokenTemplate({ action }: Rule): string | undefined {
  if (action.transform !== 'tokenize') return undefined
  const own = action.with['tokenize']
  const inside = typeof own === 'object' && own !== null && 'as' in own ? own['as'] : undefined
  const as = inside ?? action.with['as']
  return typeof as === 'string' ? as : undefined
}

/** Enough that one token in ten shows, as with a check digit. */
const FILLS = 64

/** The kind that the leak guard would take a token for. */
function findAgain(as: string, field: string | undefined, kinds: Kinds): string | undefined {
  const detect = surely(createDetect(kinds))
  let state = 1
  // A fixed series (Lehmer): the same policy gets the same findings.
  const draw = (below: number) => {
    state = (state * 48_271) % 0x7fffffff
    return state % below
  }
  for (let fill = 0; fill < FILLS; fill++) {
    const token = as.replace(/[#@]/g, (sign) =>
      sign === '#' ? String(draw(10)) : String.fromCharCode(65 + draw(26)),
    )
    const [hit] = detect(token, field)
    if (hit !== undefined) return hit.kind
  }
  return undefined
}
