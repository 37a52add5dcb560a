/** What a policy's `body:` says: how bodies are written, where their media type does not tell. @module */

/** The names of the formats. */
// prettier-ignore
export const FORMAT_NAMES = ['json', 'ndjson', 'form', 'multipart', 'xml', 'csv', 'text', 'binary'] as const
/** One of FORMAT_NAMES. */
export type FormatName = (typeof FORMAT_NAMES)[number]

/** The character sets that are read. */
export const CHARSETS = ['utf-8', 'gbk', 'gb18030'] as const
/** One of CHARSETS. */
export type Charset = (typeof CHARSETS)[number]

/** The policy's `body:`. */
export interface BodyDialect {
  readonly format: FormatName
  /** A media type that bodies have besides those of the format. */
  readonly mediaType?: string
  readonly charset?: Charset
  readonly csv?: CsvDialect
  /** Of XML: the prefix that paths write → the URI that it stands for; '' for names without one. */
  readonly namespaces?: ReadonlyMap<string, string>
}

/** How records are written. */
export interface CsvDialect {
  /** One character of ASCII. */
  readonly delimiter: string
  /** `none`: a quotation mark is a character like any other, and nothing can be escaped. */
  readonly quote: 'double' | 'none'
  /** The names of the columns; undefined when the first row of the table holds them. */
  readonly columns?: readonly string[]
  readonly head?: CsvSection
  readonly trailer?: CsvSection
}

/** A record of its own kind before or after the rows. */
export interface CsvSection {
  readonly columns: readonly string[]
  /** The column that holds how many rows there are. */
  readonly count?: string
  /** Column of the section → column of the rows that it is the sum of. */
  readonly totals: ReadonlyMap<string, string>
}

/** RFC 4180, with a row of names. */
export const CSV_DEFAULT: CsvDialect = { delimiter: ',', quote: 'double' }

/** The clause as an officer reads it: `csv`, `gb18030`, `delimiter "|"`, `columns a b c`. */
export function describeBody(body: BodyDialect | undefined): readonly string[] {
  if (body === undefined) return ['as its media type says']
  const { format, mediaType, charset, csv, namespaces } = body
  const section = (name: string, record: CsvSection | undefined) =>
    record === undefined
      ? []
      : [
          `${name} ${record.columns.join(' ')}`,
          ...(record.count === undefined ? [] : [`${name} count ${record.count}`]),
          ...[...record.totals].map(([total, of]) => `${name} ${total} = sum of ${of}`),
        ]
  return [
    format,
    ...(mediaType === undefined ? [] : [mediaType]),
    ...(charset === undefined ? [] : [charset]),
    ...(csv === undefined || csv.delimiter === ','
      ? []
      : [`delimiter ${JSON.stringify(csv.delimiter)}`]),
    ...(csv?.quote === 'none' ? ['no quotes'] : []),
    ...(csv?.columns === undefined ? [] : [`columns ${csv.columns.join(' ')}`]),
    ...section('head', csv?.head),
    ...section('trailer', csv?.trailer),
    ...[...(namespaces ?? [])].map(([prefix, uri]) => `${prefix || 'default'} = ${uri}`),
  ]
}
