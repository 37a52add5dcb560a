/** Verifies each record of a dossier in the form in which it could be exported alone. Portable. @module */
import type { ExportedRecord } from '../export-format.ts'
import { EXPORT_FORMAT } from '../export-format.ts'
import type { ExportVerifier, Verification } from '../verify.ts'
import type { RevocationLists } from '../verify-certificate.ts'
import { erasedRecords } from '../verify-erasure.ts'
import { tryRecord } from './catalogue.ts'
import { createPool, type Pool, sealDigest } from './certificates.ts'
import type { Findings } from './findings.ts'
import {
  hexDigest,
  linesOf,
  type Parts,
  proofName,
  type RecordProof,
  type RecordText,
  tokenName,
} from './parts.ts'

/** What the records' certificates and time stamps led to. */
export interface RecordsResult {
  readonly development: boolean
  /** The paths of the certificates of seals and of time stamps, leaf to root; DER. */
  readonly paths: readonly (readonly Uint8Array[])[]
}

/** Verifies all records, and marks the files that were used. */
export async function checkRecords(
  parts: Parts,
  findings: Findings,
  verify: ExportVerifier,
): Promise<RecordsResult> {
  const shelf = createShelf(parts)
  const results = new Map<string, Verification>()
  // Newest first: what revocation lists say of a later time holds for an earlier one.
  const times = new Map(
    parts.records.map(({ rid, text }) => [rid, tryRecord(text)?.header.iat ?? 0]),
  )
  for (const { rid } of parts.records.toSorted(
    (a, b) => (times.get(b.rid) ?? 0) - (times.get(a.rid) ?? 0),
  )) {
    results.set(rid, await verify(shelf.exported(rid), shelf.lists))
  }
  const paths: (readonly Uint8Array[])[] = []
  for (const { rid } of parts.records) {
    const result = results.get(rid)
    for (const check of result?.checks ?? []) findings.checks.push({ ...check, subject: rid })
    for (const name of shelf.filesOf(rid)) findings.covered.add(name)
    const [seal = [], ...stamps] = result?.paths ?? []
    for (const der of seal) findings.covered.add(`certificates/${hexDigest(der)}.pem`)
    for (const root of stamps.flatMap((path) => path.slice(-1))) {
      findings.covered.add(`timestamp-roots/${hexDigest(root)}.pem`)
    }
    paths.push(seal, ...stamps)
  }
  return { paths, development: [...results.values()].some(({ development }) => development) }
}

/** A dossier's files by what they are about. */
interface Shelf {
  readonly lists: RevocationLists | undefined
  exported(rid: string): ExportedRecord
  filesOf(rid: string): string[]
}

function createShelf(parts: Parts): Shelf {
  const records = toMap(parts.records)
  const leaves = toMap(parts.leaves)
  const disclosures = toMap(parts.disclosures)
  const proofs = Map.groupBy(parts.proofs, ({ rid }) => rid)
  const tokens = Map.groupBy(parts.timestamps, ({ checkpoint }) => checkpoint)
  const headers = parts.records.flatMap(({ text }) => tryRecord(text)?.header ?? [])
  const pool = createPool(parts.certificates, new Set(headers.map(sealDigest)))
  const erasures = findErasures(parts.records)
  const ranked = (rid: string) => (proofs.get(rid) ?? []).toSorted((a, b) => sizeOf(b) - sizeOf(a))
  const stamped = (rid: string) => ranked(rid).filter(({ checkpoint }) => tokens.has(checkpoint))
  const bare = (rid: string): ExportedRecord => ({
    format: EXPORT_FORMAT,
    record: records.get(rid) ?? '',
    disclosures: linesOf(disclosures.get(rid) ?? ''),
    certificates: certificatesOf(records.get(rid) ?? '', pool),
    leaf: leaves.get(rid) ?? '',
    proof: ranked(rid)[0]?.text ?? '',
    logKeys: parts.keys,
  })
  return {
    lists:
      parts.revocation.length === 0
        ? undefined
        : { id: parts.revocation.map(hexDigest).join(), ders: parts.revocation },
    exported: (rid) => ({
      ...bare(rid),
      stamps: stamped(rid).map(({ checkpoint, text }) => ({
        proof: text,
        responses: (tokens.get(checkpoint) ?? []).map(({ bytes }) => toBase64(bytes)),
      })),
      timestampRoots: parts.roots.map(toBase64),
      erasures: (erasures.get(rid) ?? []).map(bare),
    }),
    filesOf: (rid) => [
      ...[`records/${rid}.jws`, `leaves/${rid}.txt`, `disclosures/${rid}.txt`],
      ...ranked(rid)
        .slice(0, 1)
        .concat(stamped(rid))
        .flatMap((proof) => [
          proofName(proof.checkpoint, rid),
          `checkpoints/${proof.checkpoint}.note`,
          ...(tokens.get(proof.checkpoint) ?? []).map((token) => tokenName('timestamps', token)),
        ]),
    ],
  }
}

/** The seal certificate first, then all that stand above any. */
function certificatesOf(record: string, { byDigest, authorities }: Pool): readonly string[] {
  const header = tryRecord(record)?.header
  const seal = header === undefined ? undefined : byDigest.get(sealDigest(header))
  return seal === undefined ? [] : [toBase64(seal), ...authorities]
}

/** Record → the `erase` records that name it. */
function findErasures(records: readonly RecordText[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { rid, text } of records) {
    for (const erased of erasedRecords(tryRecord(text)?.payload ?? {})) {
      found.set(erased, [...(found.get(erased) ?? []), rid])
    }
  }
  return found
}

function toMap(texts: readonly RecordText[]): ReadonlyMap<string, string> {
  return new Map(texts.map(({ rid, text }) => [rid, text]))
}

function sizeOf({ checkpoint }: RecordProof): number {
  return Number.parseInt(checkpoint, 10)
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
