/** The exported record: one JSON file with all that an offline check of one record needs. @module */
import { Problem } from '../base/problem.ts'
import { type OpenedRow, PATH_MAX, TREE_NAMES } from './rows/opened.ts'

/** Bytes of an exported record or of a trust file. */
export const EXPORT_BYTES_MAX = 32 * 1024 * 1024
/** Disclosures in one file. */
export const DISCLOSURES_MAX = 1024
/** Certificates in one file. */
export const EXPORT_CERTIFICATES_MAX = 16
/** Log keys in one file. */
export const LOG_KEYS_MAX = 16
/** Stamped checkpoints or erasures in one file, time stamps over one checkpoint, roots of authorities. */
export const STAMPS_MAX = 16
/** Nesting of JSON in files and payloads. */
export const JSON_DEPTH_MAX = 64

/** Names the format; a change of meaning gets a new number. */
export const EXPORT_FORMAT = 'sealgate-record/1'

/** See evidence/log/README.md, “The exported record”. */
export interface ExportedRecord {
  readonly format: typeof EXPORT_FORMAT
  /** The JWS, byte for byte. */
  readonly record: string
  /** RFC 9901 disclosures of the values that are opened. */
  readonly disclosures: readonly string[]
  /** base64 DER: seal certificate first, then its issuers. */
  readonly certificates: readonly string[]
  /** The leaf's data, with its newline. */
  readonly leaf: string
  /** c2sp.org/tlog-proof, which holds the checkpoint. */
  readonly proof: string
  /** Verifier keys of the log, `<name>+<id>+<key>`. */
  readonly logKeys: readonly string[]
  /** Stamped checkpoints that hold the record; absent while there is none. */
  readonly stamps?: readonly ExportedStamp[]
  /** base64 DER: root certificates of the authorities that stamped. */
  readonly timestampRoots?: readonly string[]
  /** The `erase` records of what custody kept of this record, exported in full; absent when none. */
  readonly erasures?: readonly ExportedRecord[]
  /** Rows that are opened, of a record that commits to rows. */
  readonly rows?: readonly OpenedRow[]
}

/** Time stamps over one checkpoint of the log. */
export interface ExportedStamp {
  /** c2sp.org/tlog-proof of the record in the stamped checkpoint, which it holds. */
  readonly proof: string
  /** base64 RFC 3161 TimeStampResp over the checkpoint's bytes, each as it was sent. */
  readonly responses: readonly string[]
}

const NAMES = ['format', 'record', 'disclosures', 'certificates', 'leaf', 'proof', 'logKeys']
const STAMP_NAMES = ['proof', 'responses']
const ROW_NAMES = ['tree', 'index', 'salt', 'row', 'path']
const OPTIONAL_NAMES = ['stamps', 'timestampRoots', 'erasures', 'rows']

/** Writes an exported record. */
export function formatExported(exported: ExportedRecord): string {
  return `${JSON.stringify(exported, [...NAMES, ...OPTIONAL_NAMES, ...STAMP_NAMES, ...ROW_NAMES], 2)}\n`
}

/**
 * Reads an exported record; nothing in it is verified.
 *
 * @throws {Problem} `request-malformed` naming the member that is wrong.
 */
export function parseExported(text: string): ExportedRecord {
  return readExported(parseStrictJson(text), OPTIONAL_NAMES)
}

function readExported(value: Untyped, optional: readonly string[]): ExportedRecord {
  const format = value['format']
  if (format !== EXPORT_FORMAT) {
    throw new Problem('request-malformed', `expected \`format\`: \`${EXPORT_FORMAT}\``)
  }
  refuseUnknown(value, [...NAMES, ...optional])
  return {
    format,
    record: readText(value, 'record'),
    disclosures: readTexts(value, 'disclosures', DISCLOSURES_MAX),
    certificates: readTexts(value, 'certificates', EXPORT_CERTIFICATES_MAX),
    leaf: readText(value, 'leaf'),
    proof: readText(value, 'proof'),
    logKeys: readTexts(value, 'logKeys', LOG_KEYS_MAX),
    ...(value['stamps'] === undefined
      ? {}
      : { stamps: readObjects(value, 'stamps').map(readStamp) }),
    ...(value['timestampRoots'] === undefined
      ? {}
      : { timestampRoots: readTexts(value, 'timestampRoots', STAMPS_MAX) }),
    ...(value['erasures'] === undefined
      ? {}
      : { erasures: readObjects(value, 'erasures').map((item) => readExported(item, [])) }),
    ...(value['rows'] === undefined ? {} : { rows: readObjects(value, 'rows').map(readRow) }),
  }
}

function readStamp(value: Untyped): ExportedStamp {
  refuseUnknown(value, STAMP_NAMES)
  return {
    proof: readText(value, 'proof'),
    responses: readTexts(value, 'responses', STAMPS_MAX),
  }
}

function readRow(value: Untyped): OpenedRow {
  refuseUnknown(value, ROW_NAMES)
  const tree = TREE_NAMES.find((name) => name === value['tree'])
  const index = value['index']
  if (tree === undefined) {
    throw new Problem('request-malformed', `\`tree\` is not one of ${TREE_NAMES.join(', ')}`)
  }
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    throw new Problem('request-malformed', '`index` is not a whole number from 0')
  }
  return {
    tree,
    index,
    salt: readText(value, 'salt'),
    row: readText(value, 'row'),
    path: readTexts(value, 'path', PATH_MAX),
  }
}

function readObjects(value: Untyped, name: string): Untyped[] {
  const list = value[name]
  const isObject = (item: unknown): item is Untyped =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
  if (Array.isArray(list) && list.length <= STAMPS_MAX && list.every(isObject)) return list
  throw new Problem(
    'request-malformed',
    `\`${name}\` is not a list of at most ${STAMPS_MAX} objects`,
  )
}

/** A JSON object whose members are not typed yet. */
export type Untyped = Readonly<Record<string, unknown>>

/**
 * Reads a JSON object in which no name is repeated: of two values one reader would take the first
 * and another the last.
 *
 * @throws {Problem} `request-malformed`.
 */
export function parseStrictJson(text: string): Untyped {
  if (text.length > EXPORT_BYTES_MAX) {
    throw new Problem('request-malformed', `expected at most ${EXPORT_BYTES_MAX} bytes`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Problem('request-malformed', 'expected one JSON document', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('request-malformed', 'expected a JSON object')
  }
  refuseRepeatedNames(text)
  return value as Untyped
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gy
const SKIP = /[^"{}[\],:]*/y

/** Walks the tokens of a text that JSON.parse has accepted. */
function refuseRepeatedNames(text: string): void {
  // One entry per open object (its names) or array.
  const open: (Set<string> | undefined)[] = []
  let name: string | undefined
  for (let at = 0; ; at = TOKEN.lastIndex) {
    SKIP.lastIndex = at
    SKIP.exec(text)
    TOKEN.lastIndex = SKIP.lastIndex
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined) return
    const names = open.at(-1)
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"')) name = token
    else if (token === ':' && name !== undefined) {
      const plain = String(JSON.parse(name))
      if (names?.has(plain) === true) {
        throw new Problem('request-malformed', `the name \`${plain}\` is repeated in one object`)
      }
      names?.add(plain)
    }
    if (open.length > JSON_DEPTH_MAX) {
      throw new Problem('request-malformed', `nested deeper than ${JSON_DEPTH_MAX}`)
    }
  }
}

/** @throws {Problem} `request-malformed` naming the first member that the format does not have. */
export function refuseUnknown(value: Untyped, names: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new Problem(
    'request-malformed',
    `unknown member \`${unknown}\`; expected ${names.join(', ')}`,
  )
}

/** @throws {Problem} `request-malformed` when the member is no text. */
export function readText(value: Untyped, name: string): string {
  const text = value[name]
  if (typeof text === 'string') return text
  throw new Problem('request-malformed', `\`${name}\` is not a text`)
}

/** @throws {Problem} `request-malformed` when the member is no list of at most `max` texts. */
export function readTexts(value: Untyped, name: string, max: number): string[] {
  const list = value[name]
  if (Array.isArray(list) && list.length <= max) {
    if (list.every((item): item is string => typeof item === 'string')) return list
  }
  throw new Problem('request-malformed', `\`${name}\` is not a list of at most ${max} texts`)
}
