/** Reads `body:`, and checks that the paths of the rules can lead to something in such bodies. Pure. @module */
import { type Report, suggest } from '../../base/diagnostic.ts'
import { listOf, oneOf, openMap, readEntries, type Reader, textOf } from '../../base/shape.ts'
import type { YamlNode } from '../../base/yaml.ts'
import {
  type BodyDialect,
  CHARSETS,
  CSV_DEFAULT,
  type CsvDialect,
  type CsvSection,
  FORMAT_NAMES,
} from './body.ts'
import { decide } from './decide.ts'
import type { Rule, Segment } from './policy.ts'

/** Reads the clause. What only some formats have is an error in the others. */
export const readBody: Reader<BodyDialect> = (node, report) => {
  const fields = openMap(node, report, '`body`')
  const format = fields.need('format', oneOf('a format', FORMAT_NAMES))
  const mediaType = fields.take('type', readMediaType)
  const charset = fields.take('charset', oneOf('a character set', CHARSETS))
  const csv = format === 'csv' ? readCsv(fields.take, node, report) : undefined
  const namespaces = format === 'xml' ? fields.take('namespaces', readNamespaces) : undefined
  fields.close()
  return {
    format,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(charset === undefined ? {} : { charset }),
    ...(csv === undefined ? {} : { csv }),
    ...(namespaces === undefined ? {} : { namespaces }),
  }
}

/** Complains about rules that no body of the format can meet, or that would break its form. */
export function checkRules(body: BodyDialect, rules: readonly Rule[], report: Report): void {
  const { format, csv = CSV_DEFAULT } = body
  for (const rule of rules) {
    const steps = rule.path.map(stepOf)
    const hasIndex = steps.some(({ step }) => step === 'index')
    if (hasIndex && (format === 'csv' || format === 'xml')) {
      const help = format === 'csv' ? 'write `[*]`: rows are alike' : 'leave the index out'
      report.error(rule.at, `${format} has no \`${rule.text}\``, help)
    }
    const isWhole = rule.path.length === 0
    if ((format === 'text' || format === 'binary') && !isWhole) {
      report.error(rule.at, `${format} has no fields`, 'name all of it: `$`')
    }
    if (format === 'binary' && rule.action.transform !== 'keep') {
      report.error(rule.at, 'binary can only be kept', 'write `$: keep`, or no `body`')
    }
    if (format === 'csv') checkColumn(csv, rule, steps, report)
  }
  if (format === 'csv') checkSums(csv, rules, report)
}

type Take = <T>(name: string, read: Reader<T>) => T | undefined

function readCsv(take: Take, node: YamlNode, report: Report): CsvDialect {
  const columns = take('columns', readColumns)
  const head = take('head', readSection)
  const trailer = take('trailer', readSection)
  const csv = {
    delimiter: take('delimiter', readDelimiter) ?? CSV_DEFAULT.delimiter,
    quote: take('quote', oneOf('a way to quote', ['double', 'none'])) ?? CSV_DEFAULT.quote,
    ...(columns === undefined ? {} : { columns }),
    ...(head === undefined ? {} : { head }),
    ...(trailer === undefined ? {} : { trailer }),
  }
  for (const section of [head, trailer]) {
    for (const column of section?.totals.values() ?? []) {
      if (columns === undefined || columns.includes(column)) continue
      report.error(node.at, `the rows have no column \`${column}\``, suggest(column, columns))
    }
  }
  return csv
}

const readColumns: Reader<readonly string[]> = (node, report) => {
  const columns = listOf(textOf('a column'), '`columns`')(node, report)
  const twice = columns.find((column, index) => columns.indexOf(column) < index)
  if (twice !== undefined)
    report.error(node.at, `column \`${twice}\` stands twice`, 'rename one of them')
  if (node.node === 'list' && columns.length === 0)
    report.error(node.at, 'there are no columns', 'name each column, in order')
  return columns
}

const readSection: Reader<CsvSection> = (node, report) => {
  const fields = openMap(node, report, 'a record')
  const columns = fields.need('columns', readColumns)
  const columnOf: Reader<string> = (item) => {
    const column = textOf('a column')(item, report)
    if (!columns.includes(column))
      report.error(item.at, `the record has no column \`${column}\``, suggest(column, columns))
    return column
  }
  const count = fields.take('count', columnOf)
  const totals = fields.take('totals', (item) => {
    const entries = readEntries(item, report, '`totals`')
    return new Map(
      entries.map(([, { key, value }]) => [
        columnOf(key, report),
        textOf('a column')(value, report),
      ]),
    )
  })
  fields.close()
  return { columns, totals: totals ?? new Map(), ...(count === undefined ? {} : { count }) }
}

/** A delimiter that is also a part of values would cut them. */
const readDelimiter: Reader<string> = (node, report) =>
  textOf(
    'a delimiter',
    /^[\t\u0001-\u0008\u001c-\u001f,;|^~!#]$/,
    'use one of `,` `;` `|` `^` `~` `!` `#`, a tab "\\t", or a control character such as "\\x01"',
  )(node, report)

const readMediaType: Reader<string> = (node, report) =>
  textOf(
    'a media type',
    /^[a-z]+\/[a-z\d][a-z\d.+-]*$/,
    'write `text/plain`, in lower case',
  )(node, report)

const readNamespaces: Reader<ReadonlyMap<string, string>> = (node, report) => {
  const entries = readEntries(node, report, '`namespaces`')
  return new Map(
    entries.map(([prefix, { key, value }]) => {
      if (!/^(?:default|[A-Za-z_][\w-]{0,31})$/.test(prefix))
        report.error(
          key.at,
          `\`${prefix}\` is not a prefix`,
          'use letters and digits, or `default`',
        )
      return [prefix === 'default' ? '' : prefix, textOf('a namespace')(value, report)]
    }),
  )
}

function stepOf(segment: Segment): Segment {
  return segment.step === 'descendant' ? segment.of : segment
}

function checkColumn(
  { columns, head, trailer }: CsvDialect,
  rule: Rule,
  steps: readonly Segment[],
  report: Report,
): void {
  const [first, second, third, ...deeper] = steps
  if (rule.path.some(({ step }) => step === 'descendant')) return
  const isSectioned = head !== undefined || trailer !== undefined
  const section = first?.step === 'name' ? first.name : undefined
  const inRows = isSectioned
    ? section === 'rows' || first?.step === 'wildcard'
    : section === undefined
  const known = inRows ? columns : section === 'head' ? head?.columns : trailer?.columns
  const [column, beyond] = inRows && isSectioned ? [third, deeper[0]] : [second, third]
  const isSection = section === 'head' || section === 'trailer'
  if ((!inRows && !(isSectioned && isSection)) || beyond !== undefined) {
    const form = isSectioned ? '`$.rows[*].name`, `$.head.name`, `$.trailer.name`' : '`$[*].name`'
    report.error(rule.at, `this table has no \`${rule.text}\``, `write ${form}`)
  } else if (column?.step === 'name' && known !== undefined && !known.includes(column.name)) {
    report.error(rule.at, `there is no column \`${column.name}\``, suggest(column.name, known))
  }
  if (rule.to !== undefined && (known !== undefined || column?.step !== 'name'))
    report.error(rule.at, 'a column without a name in the table cannot be renamed', 'remove `to`')
}

/** A total that is passed on must still be the sum of what is passed on. */
function checkSums(csv: CsvDialect, rules: readonly Rule[], report: Report): void {
  for (const name of ['head', 'trailer'] as const) {
    for (const [total, column] of csv[name]?.totals ?? []) {
      const passed = decide(rules, [name, total])?.rule
      const summed = decide(rules, ['rows', 0, column])?.rule
      if (passed === undefined || passed.action.transform === 'drop') continue
      if (summed !== undefined && EXACT.has(summed.action.transform)) continue
      const message = `\`${total}\` passes and is the sum of \`${column}\`, which does not pass as it is`
      report.error(passed.at, message, `keep \`$.rows[*].${column}\`, or drop the total`)
    }
  }
}

const EXACT: ReadonlySet<string> = new Set(['keep', 'monitor'])
