/** Exports one record with all that proves it. @module */
import { Problem } from '../base/problem.ts'
import { openClaim, type RecordSecrets } from './commitment.ts'
import { EXPORT_FORMAT, type ExportedRecord, type ExportedStamp } from './export-format.ts'
import type { EvidenceIndex, IndexRow } from './index/index.ts'
import { logAt, type LogView } from './log/line.ts'
import { type LogReader, readerAt } from './log/reader.ts'
import { readRecord } from './seal.ts'
import { findStamps } from './timestamp/stamps.ts'
import { erasureOf } from './verify-erasure.ts'

/** A value that the exporter knows and wants to prove. */
export interface ClaimedValue {
  /** The claim's name, such as `f:$.applicant.idNumber`. */
  readonly name: string
  /** The characters of a text, or any value as JSON text, spelled as it was sent. */
  readonly value: string
}

export interface ExportPorts {
  /** Every log of the line, oldest first; a position of the index counts through all of them. */
  readonly logs: readonly LogView[]
  readonly index: EvidenceIndex
  /** The chain of a seal certificate by its base64url SHA-256: leaf, issuers, root; DER. */
  readonly chainOf: (thumbprint: string) => readonly Uint8Array[] | undefined
  /** Where salts come from; undefined when nothing is to be opened. */
  readonly secrets?: RecordSecrets
  /** Roots (DER) of the authorities that stamped. */
  readonly timestampRoots: readonly Uint8Array[]
}

/**
 * Makes the exported form of a record, with the claims that `open` names.
 *
 * @throws {Problem} `request-malformed` when the record, its certificate or one of the claims is not here.
 */
export async function exportRecord(
  ports: ExportPorts,
  rid: string,
  open: readonly ClaimedValue[] = [],
): Promise<ExportedRecord> {
  const [row] = await ports.index.search({ rid })
  if (row === undefined) throw new Problem('request-malformed', `no record \`${rid}\` in the index`)
  const { leaf, jws, view, local } = await recordAt(ports, row.position)
  const { header, payload } = readRecord(jws)
  // The index is never the truth: the log says whether this is the record.
  if (payload.rid !== rid) {
    throw new Problem('log-inconsistent', `position ${row.position} holds \`${payload.rid}\``)
  }
  const chain = ports.chainOf(header['x5t#S256'])
  if (chain === undefined) {
    throw new Problem('request-malformed', `certificate ${header['x5t#S256']} is not at hand`)
  }
  return {
    format: EXPORT_FORMAT,
    record: jws,
    disclosures: open.map((claim) => disclose(ports.secrets, rid, payload._sd, claim)),
    certificates: chain.map((der) => Buffer.from(der).toString('base64')),
    leaf,
    proof: await witnessed(view, local).proof(local),
    logKeys: view.logKeys.map(({ text }) => text),
    ...(await exportStamps(ports, view, local)),
    ...(await exportErasures(ports, row)),
  }
}

/** Only exchanges have originals in custody. An `erase` record is exported bare. */
async function exportErasures(
  ports: ExportPorts,
  { rid, kind }: IndexRow,
): Promise<Pick<ExportedRecord, 'erasures'>> {
  if (kind !== 'exchange') return {}
  const erasures: ExportedRecord[] = []
  for (const row of await ports.index.search({ kind: 'erase' })) {
    const { payload } = readRecord((await recordAt(ports, row.position)).jws)
    if (erasureOf(payload, rid) === undefined) continue
    const { stamps: _, timestampRoots: __, ...bare } = await exportRecord(ports, row.rid)
    erasures.push(bare)
  }
  return erasures.length === 0 ? {} : { erasures }
}

async function exportStamps(
  { timestampRoots }: ExportPorts,
  { store }: LogView,
  position: number,
): Promise<Pick<ExportedRecord, 'stamps' | 'timestampRoots'>> {
  const found = await findStamps(store, position)
  if (found.length === 0) return {}
  const exported = found.map(async ({ checkpoint, responses }): Promise<ExportedStamp> => ({
    proof: await readerAt(store, checkpoint).proof(position),
    responses: responses.map((bytes) => Buffer.from(bytes).toString('base64')),
  }))
  return {
    stamps: await Promise.all(exported),
    timestampRoots: timestampRoots.map((der) => Buffer.from(der).toString('base64')),
  }
}

/** @param position in the line; `local` is the position in its log. */
export async function recordAt({ logs }: ExportPorts, position: number) {
  const view = logAt(logs, position)
  const local = position - view.offset
  return { ...(await view.reader.record(local)), view, local }
}

/** A cosigned state is preferred, as far as it reaches. */
export function witnessed({ reader, cosigned }: LogView, position: number): LogReader {
  return cosigned !== undefined && position < cosigned.checkpoint.size ? cosigned : reader
}

function disclose(...[secrets, rid, sd, claim]: Parameters<typeof discloseClaim>): string {
  const disclosure = discloseClaim(secrets, rid, sd, claim)
  if (disclosure !== undefined) return disclosure
  throw new Problem(
    'request-malformed',
    `the record does not commit to that value of \`${claim.name}\``,
  )
}

/** Opens a value, as a text or as the JSON that it is; undefined when the record does not hold it. */
export function discloseClaim(
  secrets: RecordSecrets | undefined,
  rid: string,
  sd: readonly string[],
  { name, value }: ClaimedValue,
): string | undefined {
  for (const json of [JSON.stringify(value), value]) {
    const disclosure = secrets && openClaim(secrets.secretOf(rid), sd, name, json)
    if (disclosure !== undefined) return disclosure
  }
  return undefined
}
