/** `sealgate reveal --body`: a body that custody keeps, decrypted by the custodian as it comes. @module */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Problem } from '../base/problem.ts'
import { decodeRecords } from '../evidence/custody/coding.ts'
import type { Opened } from '../evidence/custody/custody.ts'
import { bodySecret } from '../evidence/custody/original.ts'
import type { Side } from '../evidence/custody/store.ts'
import { isZip } from '../evidence/dossier/zip.ts'
import { formatExported, parseExported } from '../evidence/export-format.ts'
import { openPolicies } from '../evidence/policy-archive.ts'
import { rowFactsOf } from '../evidence/rows/opened.ts'
import { proveRow } from '../evidence/rows/prove.ts'
import { readRecord } from '../evidence/seal.ts'
import type { Config } from '../gateway/config.ts'
import { policyArchive } from '../gateway/places.ts'
import { decodeStream, readCoding } from '../gateway/stream/coding.ts'
import { rowsOf } from '../gateway/stream/rows-of.ts'
import { fail } from './config.ts'
import { rowFormFor } from './row-form.ts'

/** What `revealBody` of the admin API gives, as it comes. */
export interface Revealed {
  /** The record's secrets and claims, for the custodian. */
  readonly texts: readonly string[]
  readonly body: AsyncIterable<Buffer>
}

/** Reads what stands before the body. */
export async function readRevealed(source: AsyncIterable<Uint8Array>): Promise<Revealed> {
  const iterator = source[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  for (let end = -1; end < 0; end = head.indexOf('\n\n')) {
    const next = await iterator.next()
    if (next.done === true) return fail('the gateway answered what is no original')
    head = Buffer.concat([head, next.value])
  }
  const end = head.indexOf('\n\n')
  const first = head.subarray(end + 2)
  const body = async function* (): AsyncGenerator<Buffer> {
    yield first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield Buffer.from(next.value)
    }
  }
  return { texts: head.toString('latin1', 0, end).split('\n'), body: body() }
}

/** Decrypts the body. @param opened by the custodian's key, from what stands before it. */
export function decryptBody(
  { body }: Revealed,
  [opened]: readonly Opened[],
  side: Side,
): AsyncIterable<Buffer> {
  if (opened === undefined) return fail('custody holds the body without its key')
  return decodeRecords(body, bodySecret(opened.secret, `${side}.body`))
}

/** Writes a body to a file, and says whether it is what the record commits to. */
export async function writeBody(
  body: AsyncIterable<Buffer>,
  opened: readonly Opened[],
  side: Side,
  out: string,
): Promise<void> {
  const name = side === 'request' ? 'body_sha256' : 'r:body_sha256'
  const claim = opened.flatMap(({ claims }) => claims).find((one) => one.name === name)
  const sha256 = createHash('sha256')
  const file = await open(out, 'w', 0o600)
  let bytes = 0
  let whole = true
  try {
    for await (const part of body) {
      await file.appendFile(part)
      sha256.update(part)
      bytes += part.length
    }
  } catch (error) {
    // A crash of the gateway cut it off: what is whole of it is all that there is.
    if (!(error instanceof Problem && error.slug === 'body-malformed')) throw error
    whole = false
  } finally {
    await file.close()
  }
  const isCommitted = claim?.json === JSON.stringify(sha256.digest('base64url'))
  const says = !whole ? 'breaks off' : isCommitted ? `is what \`${name}\` commits to` : `is not what \`${name}\` commits to` // prettier-ignore
  process.stdout.write(`${side}.body: ${bytes} bytes; it ${says}\n`)
  if (!isCommitted) process.exitCode = 1
}

/** Shows one row of a body in an exported record. @param row from 1. */
export async function addRow(
  { data }: Config,
  body: AsyncIterable<Buffer>,
  [opened]: readonly Opened[],
  { side, row, into }: { readonly side: Side; readonly row: number; readonly into: string },
): Promise<void> {
  const bytes = readFileSync(into)
  if (isZip(bytes)) return fail('a row goes into an exported record, not into a dossier')
  const exported = parseExported(bytes.toString())
  const { payload } = readRecord(exported.record)
  const members = payload as unknown as Readonly<Record<string, unknown>>
  const tree = `${side}.received` as const
  const facts = rowFactsOf(members, tree)
  if (facts === undefined || opened?.rid !== payload.rid) {
    return fail(`\`${into}\` is not the export of this record, or it has no rows`)
  }
  const form = rowFormFor(openPolicies(policyArchive(data)), members, tree)
  const coding = readCoding((members[side] as { readonly coding?: string }).coding)
  const unbounded = { bytesMax: Number.POSITIVE_INFINITY, ratioMax: Number.POSITIVE_INFINITY }
  const plain = coding === undefined ? body : decodeStream(coding, body, unbounded)
  const choice = { tree, index: row - 1, facts }
  const shown = await proveRow(rowsOf(plain, form), opened.secret, choice)
  const rows = [...(exported.rows ?? []), shown]
  writeFileSync(into, formatExported({ ...exported, rows }), { mode: 0o600 })
  process.stdout.write(`${tree} row ${row}: added to ${into}\n`)
}
