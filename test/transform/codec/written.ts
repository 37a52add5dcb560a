/** Writers of small bodies in every format, apart from the codecs: what the tests of all formats share. @module */
import { type BodyFormat, readFormat } from '../../../gateway/transform/format.ts'

/** One record: names → values. */
export type Row = Readonly<Record<string, string>>

/** A format as the tests write it. */
export interface Written {
  readonly name: string
  readonly format: BodyFormat
  /** Whether a body has several rows. */
  readonly hasRows: boolean
  /** The path of a field. */
  readonly path: (field: string) => string
  /** The policy that keeps everything. */
  readonly all: string
  readonly spell: (value: string) => string
  readonly body: (rows: readonly Row[]) => string
}

const quoteCsv = (value: string) =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
const escapeXml = (value: string) =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;')
const entries = (row: Row = {}) => Object.entries(row)

/** Every format whose bodies have named fields. */
export const WRITTEN: readonly Written[] = [
  {
    name: 'json',
    format: readFormat('application/json'),
    hasRows: true,
    path: (field) => `$[*].${field}`,
    all: '$[*]',
    spell: (value) => JSON.stringify(value),
    body: (rows) => `[ ${rows.map((row) => JSON.stringify(row)).join(' ,\n')}]`,
  },
  {
    name: 'ndjson',
    format: readFormat('application/x-ndjson'),
    hasRows: true,
    path: (field) => `$[*].${field}`,
    all: '$[*]',
    spell: (value) => JSON.stringify(value),
    body: (rows) => rows.map((row) => `${JSON.stringify(row)}\r\n`).join(''),
  },
  {
    name: 'csv',
    format: readFormat('text/csv'),
    hasRows: true,
    path: (field) => `$[*].${field}`,
    all: '$[*]',
    spell: quoteCsv,
    body: (rows) =>
      [Object.keys(rows[0] ?? {}), ...rows.map(Object.values)]
        .map(
          (cells: readonly unknown[]) =>
            `${cells.map((cell) => quoteCsv(String(cell))).join(',')}\n`,
        )
        .join(''),
  },
  {
    name: 'xml',
    format: readFormat('application/xml'),
    hasRows: true,
    path: (field) => `$.list.row.${field}`,
    all: '$.list',
    spell: escapeXml,
    body: (rows) => {
      const inside = (row: Row) =>
        entries(row).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
      return `<list>\n${rows.map((row) => ` <row>${inside(row).join(' ')}</row>\n`).join('')}</list>`
    },
  },
  {
    name: 'form',
    format: readFormat('application/x-www-form-urlencoded'),
    hasRows: false,
    path: (field) => `$.${field}`,
    all: '$.*',
    spell: (value) => encodeURIComponent(value),
    body: ([row]) =>
      entries(row)
        .map((pair) => pair.map(encodeURIComponent).join('='))
        .join('&'),
  },
  {
    name: 'multipart',
    format: readFormat('multipart/form-data; boundary=x'),
    hasRows: false,
    path: (field) => `$.${field}`,
    all: '$.*',
    spell: (value) => value,
    body: ([row]) => {
      const part = ([name, value]: readonly [string, string]) =>
        `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
      return `${entries(row).map(part).join('')}--x--\r\n`
    },
  },
]
