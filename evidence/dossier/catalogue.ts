/** The catalogue of evidence (证据目录): what is in a dossier, made from its other files. Portable. @module */
import { parseStrictJson, refuseUnknown, type Untyped } from '../export-format.ts'
import { verifyDisclosure } from '../commitment.ts'
import { type ReadRecord, readRecord, recordDigest } from '../seal.ts'
import { Problem } from '../../base/problem.ts'
import { readRevocationList } from '../x509-revocation.ts'
import {
  linesOf,
  listName,
  type Parts,
  proofName,
  type RecordProof,
  type RecordText,
} from './parts.ts'

/** Names the format; a change of meaning, or of VERIFY.md, gets a new number. */
export const DOSSIER_FORMAT = 'sealgate-dossier/1'

/** What the exporter was asked for. Link keys are pseudonyms, never the values behind them. */
export interface Selection {
  readonly rids?: readonly string[]
  readonly case?: string
  readonly links?: readonly string[]
  /** RFC 3339 times: received at or after, and before. */
  readonly since?: string
  readonly until?: string
}

/** What an exporter says that no other file shows. */
export interface Statement {
  readonly selection: Selection
  /** Whether each instance's records are all here, from its first to its last one in the dossier. */
  readonly complete: boolean
}

/** Reads a record, or tells that it is none. */
export function tryRecord(text: string): ReadRecord | undefined {
  try {
    return readRecord(text)
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** Hex SHA-256 of the policy file that a record names. */
export function policyDigest(payload: Readonly<Record<string, unknown>>): string | undefined {
  const policy = payload['policy'] as { readonly digest?: unknown } | null | undefined
  return /^sha256:([0-9a-f]{64})$/.exec(String(policy?.digest))?.[1]
}

/** Writes the catalogue. */
export function makeCatalogue(parts: Parts, statement: Statement): string {
  const byRecord = {
    leaves: Map.groupBy(parts.leaves, ({ rid }) => rid),
    disclosures: Map.groupBy(parts.disclosures, ({ rid }) => rid),
    proofs: Map.groupBy(parts.proofs, ({ rid }) => rid),
  }
  const records = parts.records.map((record, index) => describe(byRecord, record, index + 1))
  const catalogue = {
    format: DOSSIER_FORMAT,
    title: { zh: '证据目录', en: 'Catalogue of evidence' },
    selection: statement.selection,
    complete: statement.complete,
    records,
    revocation: parts.revocation.map(describeList),
  }
  return `${JSON.stringify(catalogue, null, 2)}\n`
}

interface ByRecord {
  readonly leaves: ReadonlyMap<string, readonly RecordText[]>
  readonly disclosures: ReadonlyMap<string, readonly RecordText[]>
  readonly proofs: ReadonlyMap<string, readonly RecordProof[]>
}

function describe(parts: ByRecord, { rid, text }: RecordText, number: number): object {
  const disclosures = parts.disclosures.get(rid) ?? []
  const files = [
    `records/${rid}.jws`,
    ...(parts.leaves.get(rid) ?? []).map(() => `leaves/${rid}.txt`),
    ...disclosures.map(() => `disclosures/${rid}.txt`),
    ...(parts.proofs.get(rid) ?? []).map(({ checkpoint }) => proofName(checkpoint, rid)),
  ]
  const payload = tryRecord(text)?.payload
  if (payload === undefined) return { number, rid, unreadable: true, files }
  const { kind, instance, seq, _sd, caller, recipient, route, policy, outcome } = payload
  const times = payload['times'] as { received?: unknown } | undefined
  const disclosed = disclosures
    .flatMap((each) => linesOf(each.text))
    .map((disclosure) => verifyDisclosure(disclosure, _sd)?.name)
  return {
    ...{ number, rid, kind, received: times?.received },
    ...{ caller: (caller as { id?: unknown } | undefined)?.id, recipient, route, policy, outcome },
    ...{ instance, seq, digest: recordDigest(text), disclosed, files },
  }
}

/** What a list spans says which times it can tell of. */
function describeList(der: Uint8Array): object {
  const { thisUpdate, nextUpdate, revoked } = readRevocationList(der) ?? {}
  return { file: listName(der), thisUpdate, nextUpdate, revoked: revoked?.size }
}

/**
 * Reads what a catalogue states; all else in it is made anew and compared.
 *
 * @throws {Problem} `request-malformed`.
 */
export function readStatement(text: string): Statement {
  const { format, selection, complete } = parseStrictJson(text)
  if (format !== DOSSIER_FORMAT) {
    throw new Problem('request-malformed', `expected \`format\`: \`${DOSSIER_FORMAT}\``)
  }
  if (typeof complete !== 'boolean' || !isObject(selection)) {
    throw new Problem('request-malformed', 'expected `selection` and `complete`')
  }
  refuseUnknown(selection, ['rids', 'case', 'links', 'since', 'until'])
  // INVARIANT: a selection is shown, never followed; what it holds is compared byte for byte.
  return { selection: selection as Selection, complete }
}

function isObject(value: unknown): value is Untyped {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
