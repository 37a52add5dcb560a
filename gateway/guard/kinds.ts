/** The kinds dictionary (policies/kinds.yaml) as a typed value. Pure. @module */
import { type Report, suggest } from '../../base/diagnostic.ts'
import { integerOf, listOf, oneOf, openMap, readEntries, textOf } from '../../base/shape.ts'
import { type YamlNode, parseYaml } from '../../base/yaml.ts'
import { type FieldIndex, createFieldIndex } from './field-index.ts'
import { VALIDATORS } from './validator-table.ts'

/** One kind of personal data and its labels. */
export interface Kind {
  readonly id: string
  readonly title: { readonly zh: string; readonly en: string }
  /** JR/T 0171-2020. C3 is blocked whatever a policy says. */
  readonly class: 'C1' | 'C2' | 'C3'
  /** JR/T 0197-2020, 5 is the highest. */
  readonly level: number
  /** 敏感个人信息, PIPL Art. 28. */
  readonly sensitive: boolean
  /** Category of GB/T 45574-2025. */
  readonly gb45574?: string
  readonly mask: Mask
  /** The kind's own name when its values have a shape; `field` when only the field's name can tell. */
  readonly detector: string
  /** A name of the validators' table. */
  readonly validator?: string
  /** What the guard does with a value that no rule allows. */
  readonly guard: 'refuse' | 'report'
  readonly fields: readonly string[]
  /** Lower case. */
  readonly context: readonly string[]
}

/** How a kind is shown when the policy names no other mask: characters kept, or a preset's name. */
export type Mask = { readonly first: number; readonly last: number } | { readonly preset: string }

/** The dictionary. */
export interface Kinds {
  readonly all: readonly Kind[]
  get(id: string): Kind | undefined
  /** What a field's name says about its values. */
  readonly fields: FieldIndex
  /** Words near a number that say it belongs to business, not to a person. Lower case. */
  readonly businessContext: readonly string[]
  /** 征信业管理条例 Art. 14: never collected, or with written consent after notice only. */
  readonly deny: {
    readonly never: ReadonlySet<string>
    readonly writtenConsent: ReadonlySet<string>
  }
}

/** Parses the dictionary; everything wrong goes to `report`, and nothing is returned then. */
export function parseKinds(report: Report, file: string, text: string): Kinds | undefined {
  const before = report.errorCount
  const root = parseYaml(report, file, text)
  if (root === undefined) return undefined
  const top = openMap(root, report, 'the kinds dictionary')
  const all = top.need('kinds', readKinds)
  const ids = new Set(all.map((kind) => kind.id))
  for (const id of SHAPED) {
    if (!ids.has(id))
      report.error(root.at, `the kind \`${id}\` is missing`, 'detectors find it: say what it is')
  }
  const readIds = listOf(textOf('a kind', undefined), 'a list of kinds')
  const deny = top.need('deny', (node, report) => {
    const lists = openMap(node, report, '`deny`')
    const never = lists.need('never', readIds)
    const writtenConsent = lists.need('written-consent', readIds)
    lists.close()
    for (const id of [...never, ...writtenConsent]) {
      if (!ids.has(id))
        report.error(node.at, `there is no kind \`${id}\``, 'name a kind of this file')
    }
    return { never: new Set(never), writtenConsent: new Set(writtenConsent) }
  })
  const business = top.need('business', (node, report) => {
    const lists = openMap(node, report, '`business`')
    const words = {
      fields: lists.need('fields', readWords),
      context: lists.need('context', readWords),
    }
    lists.close()
    return words
  })
  top.close()
  if (report.errorCount > before) return undefined
  const byId = new Map(all.map((kind) => [kind.id, kind]))
  return {
    all,
    get: (id) => byId.get(id),
    fields: createFieldIndex(all, business.fields),
    businessContext: business.context.map((word) => word.toLowerCase()),
    deny,
  }
}

/** Kinds that the detectors find by shape. Without them in the dictionary the guard would let them pass. */
const SHAPED = [
  ...['resident-id', 'passport', 'travel-permit', 'officer-id', 'hkid', 'twid', 'id-image', 'name'],
  ...[
    'mobile',
    'landline',
    'email',
    'bank-card',
    'alipay-id',
    'uscc',
    'card-track',
    'plate',
    'vin',
  ],
  ...['imei', 'imsi', 'iccid', 'mac-address', 'ip-address', 'location', 'address'],
]

const readWords = listOf(textOf('a word'), 'a list of words')
const readFlag = (node: YamlNode, report: Report): boolean => {
  if (node.node === 'scalar' && typeof node.value === 'boolean') return node.value
  report.error(node.at, 'expected true or false', 'type `true` or `false`')
  return true
}

function readKinds(node: YamlNode, report: Report): Kind[] {
  return readEntries(node, report, '`kinds`').map(([id, entry]) => {
    const isId = /^[a-z][a-z0-9-]*$/.test(id)
    if (!isId)
      report.error(
        entry.key.at,
        `\`${id}\` is not a kind's name`,
        'lower-case letters, digits, `-`',
      )
    return readKind(id, entry.value, report)
  })
}

function readKind(id: string, node: YamlNode, report: Report): Kind {
  const fields = openMap(node, report, `the kind \`${id}\``)
  const gb45574 = fields.take('gb45574', textOf('a category'))
  const validator = fields.take('validator', (node, report) => {
    const name = textOf('a validator')(node, report)
    if (!(name in VALIDATORS)) {
      report.error(
        node.at,
        `\`${name}\` is not a validator`,
        suggest(name, Object.keys(VALIDATORS)),
      )
    }
    return name
  })
  const kind: Kind = {
    id,
    title: fields.need('title', (title, report) => {
      const names = openMap(title, report, 'a title')
      const both = {
        zh: names.need('zh', textOf('a title')),
        en: names.need('en', textOf('a title')),
      }
      names.close()
      return both
    }),
    class: fields.need('class', oneOf('a JR/T 0171 class', ['C3', 'C2', 'C1'])),
    level: fields.need('level', integerOf('a JR/T 0197 level', 1, 5)),
    sensitive: fields.need('sensitive', readFlag),
    ...(gb45574 === undefined ? {} : { gb45574 }),
    mask: fields.need('mask', readMask),
    detector: fields.need(
      'detector',
      oneOf('a detector', ['field', ...SHAPED.filter((known) => known === id)]),
    ),
    ...(validator === undefined ? {} : { validator }),
    guard: fields.need('guard', oneOf('what the guard does', ['refuse', 'report'])),
    fields: fields.need('fields', readWords),
    context: fields.need('context', readWords).map((word) => word.toLowerCase()),
  }
  fields.close()
  if (kind.class === 'C3' && kind.guard !== 'refuse') {
    report.error(node.at, `\`${id}\` is C3 and must be refused`, 'write `guard: refuse`')
  }
  return kind
}

function readMask(node: YamlNode, report: Report): Mask {
  if (node.node === 'scalar') return { preset: textOf('a mask')(node, report) }
  const ends = openMap(node, report, 'a mask')
  const mask = {
    first: ends.need('first', integerOf('a count of characters', 0, 18)),
    last: ends.need('last', integerOf('a count of characters', 0, 18)),
  }
  ends.close()
  return mask
}
