/**
 * The files of a dossier: how each sort is named, read and written. What is read and written again
 * has the same name and the same bytes, or it is no file of a dossier. Portable. @module
 */
import { Problem } from '../../base/problem.ts'
import { sha256 } from '../crypto.ts'
import { parseVerifier } from '../log/note.ts'
import { readPem, toPem } from '../pem.ts'
import type { Files } from './zip.ts'

/** A file about one record: its JWS, its leaf, or its disclosures, one a line. */
export interface RecordText {
  readonly rid: string
  readonly text: string
}

/** c2sp.org/tlog-proof of a record in a checkpoint. */
export interface RecordProof extends RecordText {
  readonly checkpoint: string
}

/** A signed checkpoint, verbatim; its id is `<size>-<first 8 hex of its SHA-256>`. */
export interface CheckpointText {
  readonly id: string
  readonly text: string
}

/** Body of c2sp.org/tlog-witness add-checkpoint: proves that `to` extends `from`. */
export interface Extension {
  readonly from: string
  readonly to: string
  readonly text: string
}

/** An RFC 3161 response over a checkpoint, or the RFC 4998 record that renews it. */
export interface Token {
  readonly checkpoint: string
  readonly number: number
  readonly bytes: Uint8Array
}

/** Everything in a dossier but what is derived from it. */
export interface Parts {
  readonly records: readonly RecordText[]
  readonly leaves: readonly RecordText[]
  readonly disclosures: readonly RecordText[]
  readonly proofs: readonly RecordProof[]
  readonly checkpoints: readonly CheckpointText[]
  readonly consistency: readonly Extension[]
  readonly timestamps: readonly Token[]
  readonly renewals: readonly Token[]
  /** DER: seal certificates and their authorities. */
  readonly certificates: readonly Uint8Array[]
  /** DER: roots of the time stamping authorities. */
  readonly roots: readonly Uint8Array[]
  /** DER. */
  readonly revocation: readonly Uint8Array[]
  /** Policy files, byte for byte. */
  readonly policies: readonly Uint8Array[]
  /** Verifier keys of the log. */
  readonly keys: readonly string[]
}

/** Files that are a function of all others. */
export const DERIVED = ['catalogue.json', 'SHA256SUMS', 'VERIFY.md'] as const

/** How files of one sort look. `read` gets the groups of `name`. */
interface Sort<Item> {
  readonly name: RegExp
  readonly read: (groups: readonly string[], bytes: Uint8Array) => Item
  readonly write: (item: Item) => readonly [string, Uint8Array]
}

type Sorts = { readonly [Key in keyof Parts]: Sort<Parts[Key][number]> }

const RID = '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'
const CHECKPOINT = '((?:0|[1-9][0-9]{0,15})-[0-9a-f]{8})'
const DIGEST = '[0-9a-f]{64}'

const SORTS: Sorts = {
  records: recordSort('records', 'jws'),
  leaves: recordSort('leaves', 'txt'),
  disclosures: {
    ...recordSort('disclosures', 'txt'),
    write: ({ rid, text }) => [`disclosures/${rid}.txt`, toBytes(formatLines(linesOf(text)))],
  },
  proofs: {
    name: new RegExp(`^proofs/${CHECKPOINT}/${RID}\\.tlog-proof$`),
    read: ([checkpoint = '', rid = ''], bytes) => ({ checkpoint, rid, text: toText(bytes) }),
    write: ({ checkpoint, rid, text }) => [proofName(checkpoint, rid), toBytes(text)],
  },
  checkpoints: {
    name: new RegExp(`^checkpoints/${CHECKPOINT}\\.note$`),
    read: (_, bytes) => ({ id: checkpointId(toText(bytes)), text: toText(bytes) }),
    write: ({ id, text }) => [`checkpoints/${id}.note`, toBytes(text)],
  },
  consistency: {
    name: new RegExp(`^consistency/${CHECKPOINT}/${CHECKPOINT}\\.txt$`),
    read: ([from = '', to = ''], bytes) => ({ from, to, text: toText(bytes) }),
    write: ({ from, to, text }) => [`consistency/${from}/${to}.txt`, toBytes(text)],
  },
  timestamps: tokenSort('timestamps', 'tsr'),
  renewals: tokenSort('renewals', 'ers'),
  certificates: pemSort('certificates', 'CERTIFICATE'),
  roots: pemSort('timestamp-roots', 'CERTIFICATE'),
  revocation: pemSort('revocation', 'X509 CRL'),
  policies: {
    name: new RegExp(`^policies/${DIGEST}\\.yaml$`),
    read: (_, bytes) => bytes,
    write: (bytes) => [`policies/${hexDigest(bytes)}.yaml`, bytes],
  },
  keys: {
    name: /^keys\/[0-9a-f]{8}\.vkey$/,
    read: (_, bytes) => readKey(toText(bytes)),
    write: (text) => [keyName(text), toBytes(`${text}\n`)],
  },
}

/** Sorts, in the order in which they are read and listed. */
const KEYS = Object.keys(SORTS) as (keyof Parts)[]

/** A file that has no place, or another one than it says. */
export interface Misfit {
  readonly name: string
  readonly why: string
}

/** Reads all files but the derived ones; those that do not fit are told and left out. */
export function readParts(files: Files): { parts: Parts; misfits: readonly Misfit[] } {
  const parts = Object.fromEntries(KEYS.map((key) => [key, [] as unknown[]]))
  const misfits: Misfit[] = []
  for (const [name, bytes] of files) {
    if (DERIVED.some((each) => each === name)) continue
    const found = KEYS.map((key) => ({ key, groups: SORTS[key].name.exec(name) }))
    const match = found.find(({ groups }) => groups !== null)
    if (match?.groups == null) {
      misfits.push({ name, why: 'no dossier has such a file' })
      continue
    }
    try {
      parts[match.key]?.push(readFile(SORTS[match.key] as Sort<unknown>, match.groups, bytes))
    } catch (error) {
      const why = error instanceof Problem ? error.message : 'it cannot be read'
      misfits.push({ name, why })
    }
  }
  // INVARIANT: each list was filled by the sort of its own key.
  return { parts: parts as unknown as Parts, misfits }
}

function readFile(sort: Sort<unknown>, [name = '', ...groups]: string[], bytes: Uint8Array) {
  const item = sort.read(groups, bytes)
  const [nameAgain, bytesAgain] = sort.write(item)
  if (nameAgain !== name) throw malformed(`its content belongs into \`${nameAgain}\``)
  if (!Buffer.from(bytesAgain).equals(bytes)) throw malformed('it is not spelled as a dossier spells it') // prettier-ignore
  return item
}

/** Writes all files but the derived ones. */
export function writeParts(parts: Parts): Map<string, Uint8Array> {
  return new Map(KEYS.flatMap((key) => (parts[key] as unknown[]).map((item) => (SORTS[key] as Sort<unknown>).write(item)))) // prettier-ignore
}

/** What a checkpoint is called here: log and size may not tell two of them apart. */
export function checkpointId(text: string): string {
  const size = text.split('\n', 2)[1] ?? ''
  return `${size}-${hexDigest(toBytes(text)).slice(0, 8)}`
}

/** The lines of a text. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Lines each once, ascending, each with its end: one text for one set of them. */
export function formatLines(lines: readonly string[]): string {
  return [...new Set(lines)]
    .toSorted()
    .map((line) => `${line}\n`)
    .join('')
}

/** The name of a record's proof. */
export function proofName(checkpoint: string, rid: string): string {
  return `proofs/${checkpoint}/${rid}.tlog-proof`
}

/** The name of a token, in `timestamps` or `renewals`. */
export function tokenName(sort: 'timestamps' | 'renewals', { checkpoint, number }: Token): string {
  return `${sort}/${checkpoint}/${number}.${sort === 'timestamps' ? 'tsr' : 'ers'}`
}

/** The name of a verifier key. @throws {Problem} `request-malformed` when it is none. */
export function keyName(text: string): string {
  return `keys/${parseVerifier(text).id}.vkey`
}

/** The name of a revocation list. */
export function listName(der: Uint8Array): string {
  return `revocation/${hexDigest(der)}.pem`
}

/** Names stand in the shell lines of VERIFY.md: nobody may hide a command in one. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/

function readKey(text: string): string {
  const key = text.slice(0, -1)
  if (PLAIN_NAME.test(parseVerifier(key).name)) return key
  throw malformed('the name of a log has letters, digits and `._:/-` only')
}

/** Lower-case hex SHA-256. */
export function hexDigest(bytes: Uint8Array): string {
  return sha256(bytes).toString('hex')
}

function recordSort(folder: string, ending: string): Sort<RecordText> {
  return {
    name: new RegExp(`^${folder}/${RID}\\.${ending}$`),
    read: ([rid = ''], bytes) => ({ rid, text: toText(bytes) }),
    write: ({ rid, text }) => [`${folder}/${rid}.${ending}`, toBytes(text)],
  }
}

function tokenSort(folder: 'timestamps' | 'renewals', ending: string): Sort<Token> {
  return {
    name: new RegExp(`^${folder}/${CHECKPOINT}/([1-9][0-9]?)\\.${ending}$`),
    read: ([checkpoint = '', number], bytes) => ({ checkpoint, number: Number(number), bytes }),
    write: (token) => [tokenName(folder, token), token.bytes],
  }
}

function pemSort(folder: string, label: string): Sort<Uint8Array> {
  return {
    name: new RegExp(`^${folder}/${DIGEST}\\.pem$`),
    read: (_, bytes) => {
      const [der, ...others] = readPem(toText(bytes), label)
      if (der === undefined || others.length > 0) throw malformed('it is not one PEM block')
      return der
    },
    write: (der) => [`${folder}/${hexDigest(der)}.pem`, toBytes(toPem(label, der))],
  }
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', detail)
}
