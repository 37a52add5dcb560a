/** Gathers a dossier from log, index, stamps and files: the same state gives the same bytes. @module */
import { Problem } from '../../base/problem.ts'
import { type ClaimedValue, discloseClaim, type ExportPorts, recordAt } from '../export.ts'
import type { IndexQuery, IndexRow } from '../index/index.ts'
import { SEARCH_ROWS_MAX } from '../index/index.ts'
import { readRecord } from '../seal.ts'
import { verifyDisclosure } from '../commitment.ts'
import { erasedRecords } from '../verify-erasure.ts'
import { assemble } from './assemble.ts'
import { policyDigest, readStatement, type Selection } from './catalogue.ts'
import { gatherCertificates } from './export-certificates.ts'
import { gatherLog } from './export-log.ts'
import { DOSSIER_RECORDS_MAX } from './limits.ts'
import { formatLines, linesOf, type Parts, readParts, type RecordText } from './parts.ts'
import { readZip, writeZip } from './zip.ts'

/** Where a dossier's parts come from. */
export interface DossierPorts extends ExportPorts {
  /** DER; those that are by an authority of the dossier go into it. */
  readonly revocationLists: readonly Uint8Array[]
  /** A policy file by its hex SHA-256; undefined when it was not kept. */
  readonly policyOf: (digest: string) => Uint8Array | undefined
}

/** What a dossier is asked to hold. */
export interface DossierRequest {
  /** Told in the catalogue. */
  readonly selection: Selection
  /** The queries whose records are taken, all of them. */
  readonly queries: readonly IndexQuery[]
  /** Values to open in every record that commits to them. */
  readonly open: readonly ClaimedValue[]
  /** Whether to take every record between the first and the last of each instance. */
  readonly complete: boolean
}

/**
 * Makes a dossier.
 *
 * @returns the zip.
 * @throws {Problem} `request-malformed` when nothing is found, too much is, or a value is in no record.
 */
export async function exportDossier(
  ports: DossierPorts,
  request: DossierRequest,
): Promise<Uint8Array> {
  const chosen = await selectRows(ports, request)
  const log = await gatherLog(ports, chosen)
  const records = log.records
  const disclosures = openValues(ports, records, request.open)
  const { certificates, roots, revocation } = await gatherCertificates(ports, records, log.stamps)
  const origins = new Set(log.parts.checkpoints.map(({ text }) => text.split('\n', 1)[0]))
  const parts: Parts = {
    ...log.parts,
    ...{ disclosures, certificates, roots, revocation },
    policies: gatherPolicies(ports, records),
    keys: ports.logs
      .flatMap(({ logKeys }) => logKeys)
      .flatMap(({ name, text }) => (origins.has(name) ? [text] : [])),
  }
  return writeZip(assemble(parts, request))
}

async function selectRows(
  ports: DossierPorts,
  { queries, complete }: DossierRequest,
): Promise<IndexRow[]> {
  const { index } = ports
  const rows = new Map<string, IndexRow>()
  const add = (found: readonly IndexRow[]) => {
    for (const row of found) rows.set(row.rid, row)
    if (rows.size > DOSSIER_RECORDS_MAX) {
      throw malformed(`more than ${DOSSIER_RECORDS_MAX} records; choose fewer`)
    }
  }
  for (const query of queries) await searchAll(index, query, add)
  if (rows.size === 0) throw malformed('no record is found')
  // What was erased must say so, or its absence would look like a refusal.
  const erasures: IndexRow[] = []
  await searchAll(index, { kind: 'erase' }, (found) => erasures.push(...found))
  for (const row of erasures) {
    const { payload } = readRecord((await recordAt(ports, row.position)).jws)
    if (erasedRecords(payload).some((rid) => rows.has(rid))) add([row])
  }
  if (complete) {
    for (const gap of gapsOf([...rows.values()])) {
      const [known] = await index.match([{ rid: '', ...gap }])
      if (known === undefined) throw malformed(`record ${gap.seq} of instance ${gap.instance} is not in the log`) // prettier-ignore
      add(await index.search({ rid: known.rid }))
    }
  }
  return [...rows.values()].toSorted((a, b) => (a.rid < b.rid ? -1 : 1))
}

async function searchAll(
  index: DossierPorts['index'],
  query: IndexQuery,
  take: (rows: readonly IndexRow[]) => void,
): Promise<void> {
  for (let from = query.from ?? 0; ;) {
    const found = await index.search({ ...query, from, limit: SEARCH_ROWS_MAX })
    take(found)
    if (found.length < SEARCH_ROWS_MAX) return
    from = (found.at(-1)?.position ?? 0) + 1
  }
}

function* gapsOf(rows: readonly IndexRow[]): Iterable<{ instance: string; seq: number }> {
  for (const [instance, chain] of Map.groupBy(rows, (row) => row.instance)) {
    const numbers = new Set(chain.map(({ seq }) => seq))
    const last = Math.max(...numbers)
    for (let seq = Math.min(...numbers); seq < last; seq++) {
      if (!numbers.has(seq)) yield { instance, seq }
    }
  }
}

/** @throws {Problem} `request-malformed` when no record commits to a value. */
function openValues(
  { secrets }: DossierPorts,
  records: readonly RecordText[],
  open: readonly ClaimedValue[],
): RecordText[] {
  const lines = new Map<string, string[]>()
  for (const claim of open) {
    let found = 0
    for (const { rid, text } of records) {
      const disclosure = discloseClaim(secrets, rid, readRecord(text).payload._sd, claim)
      if (disclosure === undefined) continue
      found++
      lines.set(rid, [...(lines.get(rid) ?? []), disclosure])
    }
    if (found === 0)
      throw malformed(`no record of these commits to that value of \`${claim.name}\``)
  }
  return [...lines].map(([rid, each]) => ({ rid, text: formatLines(each) }))
}

/**
 * Adds disclosures of one record to a dossier.
 *
 * @returns the new zip.
 * @throws {Problem} `request-malformed` when it is no dossier, or the record does not hold them.
 */
export function discloseIn(
  zip: Uint8Array,
  rid: string,
  disclosures: readonly string[],
): Uint8Array {
  const files = readZip(zip)
  const { parts, misfits } = readParts(files)
  if (misfits[0] !== undefined) throw malformed(`\`${misfits[0].name}\`: ${misfits[0].why}`)
  const statement = readStatement(Buffer.from(files.get('catalogue.json') ?? []).toString())
  const record = parts.records.find((each) => each.rid === rid)
  if (record === undefined) throw malformed(`the dossier holds no record \`${rid}\``)
  const { _sd } = readRecord(record.text).payload
  if (disclosures.some((each) => verifyDisclosure(each, _sd) === undefined)) {
    throw malformed('a disclosure is of another record')
  }
  const [before, others] = [true, false].map((mine) =>
    parts.disclosures.filter((each) => (each.rid === rid) === mine),
  )
  const lines = (before ?? []).flatMap(({ text }) => linesOf(text))
  const own = { rid, text: formatLines([...lines, ...disclosures]) }
  return writeZip(assemble({ ...parts, disclosures: [...(others ?? []), own] }, statement))
}

function gatherPolicies({ policyOf }: DossierPorts, records: readonly RecordText[]): Uint8Array[] {
  const named = records.flatMap(({ text }) => policyDigest(readRecord(text).payload) ?? [])
  return [...new Set(named)].flatMap((digest) => policyOf(digest) ?? [])
}

function malformed(detail: string): Problem {
  return new Problem('request-malformed', detail)
}
