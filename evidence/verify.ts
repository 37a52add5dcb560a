/** Verifies one exported record offline and tells each thing that was compared. @module */
import { hash, verify, X509Certificate } from 'node:crypto'
import { Problem } from '../base/problem.ts'
import { verifyChain } from './certificate.ts'
import { verifyDisclosure } from './commitment.ts'
import { type ExportedRecord, parseStrictJson } from './export-format.ts'
import { parseCheckpoint, verifyCheckpoint } from './log/checkpoint.ts'
import { parseLeaf } from './log/entry.ts'
import { leafHash, verifyInclusion } from './log/merkle.ts'
import { parseVerifier } from './log/note.ts'
import { parseProof } from './log/proof.ts'
import { readRecord, recordDigest } from './seal.ts'
import type { Trust } from './verify-trust.ts'

/** The check names, in the order in which they run. Public: reports and scripts name them. */
export type CheckName =
  | 'record-form'
  | 'payload-form'
  | 'certificate'
  | 'signature'
  | 'leaf'
  | 'inclusion'
  | 'checkpoint'
  | 'disclosure'

/** One comparison. `text` says what was compared with what; lower case, one line. */
export interface Check {
  readonly name: CheckName
  readonly ok: boolean
  readonly text: string
  /** The value that was opened, as JSON text. Personal: show it, never log it. */
  readonly disclosed?: { readonly name: string; readonly json: string }
}

/**
 * `not-anchored`: everything fits together, but only by keys that came with the evidence itself.
 * Whoever can write the file can make that true, so it is not `valid`.
 */
export type Verdict = 'valid' | 'not-anchored' | 'invalid'

export interface Verification {
  readonly verdict: Verdict
  readonly checks: readonly Check[]
  /** What the record says of itself; believe it only when the verdict is `valid`. */
  readonly rid?: string
  readonly kind?: string
  /** A development authority stands in the certificate path. */
  readonly development: boolean
}

type Opened = ReturnType<typeof readRecord>

/**
 * Runs every check that can be run; a failed one does not stop the others. Never throws on a
 * hostile file.
 *
 * @param trust the reader's anchors; undefined uses the file's own, and says `not-anchored`.
 */
export async function verifyExported(
  exported: ExportedRecord,
  trust: Trust | undefined,
): Promise<Verification> {
  const checks: Check[] = []
  const run = (name: CheckName, work: () => Outcome): void => {
    checks.push({ name, ...guarded(work) })
  }
  let record: Opened | undefined
  run('record-form', () => {
    record = readRecord(exported.record)
    return pass(`the record is a strict compact JWS with digest ${recordDigest(exported.record)}`)
  })
  run('payload-form', () => payloadForm(exported))
  const [certificate, development] = await certificateCheck(exported, record, trust)
  checks.push({ name: 'certificate', ...certificate })
  run('signature', () => signatureCheck(exported, opened(record)))
  run('leaf', () => leafCheck(exported, opened(record)))
  run('inclusion', () => inclusionCheck(exported))
  run('checkpoint', () => checkpointCheck(exported, trust))
  for (const disclosure of exported.disclosures) {
    run('disclosure', () => disclosureCheck(disclosure, opened(record)))
  }
  const good = checks.every(({ ok }) => ok)
  const verdict = good ? (trust === undefined ? 'not-anchored' : 'valid') : 'invalid'
  const named = record === undefined ? {} : { rid: record.payload.rid, kind: record.payload.kind }
  return { verdict, checks, development, ...named }
}

type Outcome = Omit<Check, 'name'>
const pass = (text: string): Outcome => ({ ok: true, text })
const fail = (text: string): Outcome => ({ ok: false, text })

/** A Problem is a failed check; anything else that a hostile file provokes is one too, unexplained. */
function guarded(work: () => Outcome): Outcome {
  try {
    return work()
  } catch (error) {
    return fail(error instanceof Problem ? error.message : 'this part of the file cannot be read')
  }
}

function opened(record: Opened | undefined): Opened {
  if (record !== undefined) return record
  throw new Problem('request-malformed', 'not checked: the record cannot be read')
}

function payloadForm({ record }: ExportedRecord): Outcome {
  const bytes = Buffer.from(record.split('.')[1] ?? '', 'base64url')
  parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  return pass('the payload is JSON without repeated names')
}

async function certificateCheck(
  exported: ExportedRecord,
  record: Opened | undefined,
  trust: Trust | undefined,
): Promise<[Outcome, boolean]> {
  const read = (): { chain: Buffer[]; at: Date } => {
    const { iat } = opened(record).header
    return { chain: exported.certificates.map(readDer), at: new Date(iat * 1000) }
  }
  try {
    const { chain, at } = read()
    const [leafDer, ...intermediates] = chain
    if (leafDer === undefined) return [fail('the file has no certificate'), false]
    const roots = trust?.roots ?? intermediates.slice(-1)
    const result = await verifyChain({ leafDer, intermediates, roots, at, purpose: 'seal' })
    const { subject, validFromDate, validToDate } = new X509Certificate(leafDer)
    const span = `${validFromDate.toISOString()} to ${validToDate.toISOString()}`
    const text = `${subject.replaceAll('\n', ', ')}, valid ${span}, sealed ${at.toISOString()}`
    const anchor = trust === undefined ? 'the root in this file (not anchored)' : 'a trusted root'
    if (result.valid) return [pass(`${text}, leads to ${anchor}`), result.development]
    return [fail(`${text}: ${result.reasons.join('; ')}`), result.development]
  } catch (error) {
    return [guarded(() => { throw error }), false] // prettier-ignore
  }
}

function readDer(text: string): Buffer {
  const der = Buffer.from(text, 'base64')
  if (der.toString('base64') === text) return der
  throw new Problem('request-malformed', 'a certificate is not canonical base64')
}

function signatureCheck({ certificates }: ExportedRecord, record: Opened): Outcome {
  const der = readDer(certificates[0] ?? '')
  const thumbprint = hash('sha256', der, 'base64url')
  if (record.header['x5t#S256'] !== thumbprint) {
    return fail(`the record names certificate ${record.header['x5t#S256']}, not ${thumbprint}`)
  }
  const { publicKey: key } = new X509Certificate(der)
  const good = verify(
    'sha256',
    Buffer.from(record.signingInput),
    { key, dsaEncoding: 'ieee-p1363' },
    record.signature,
  )
  const text = `ES256 signature over the record by certificate ${thumbprint}`
  return good ? pass(text) : fail(`no good ${text}`)
}

function leafCheck(exported: ExportedRecord, { payload }: Opened): Outcome {
  const leaf = parseLeaf(exported.leaf)
  const digest = recordDigest(exported.record)
  if (leaf === undefined) return fail('the leaf is not one `evr/1` line')
  if (leaf.rid !== payload.rid || leaf.kind !== payload.kind) {
    return fail(
      `the leaf names ${leaf.kind} ${leaf.rid}, the record ${payload.kind} ${payload.rid}`,
    )
  }
  if (leaf.digest !== digest)
    return fail(`the leaf has digest ${leaf.digest}, the record ${digest}`)
  return pass(`the log's leaf names this record and its digest ${digest}`)
}

function inclusionCheck(exported: ExportedRecord): Outcome {
  const { index, hashes, checkpoint } = parseProof(exported.proof)
  const { size, root } = parseCheckpoint(checkpoint)
  const leaf = leafHash(Buffer.from(exported.leaf))
  const text = `leaf ${index} in the tree of ${size} with root ${root.toString('base64')}`
  return verifyInclusion(index, size, leaf, root, hashes)
    ? pass(`${hashes.length} hashes prove ${text}`)
    : fail(`the hashes do not prove ${text}`)
}

function checkpointCheck(exported: ExportedRecord, trust: Trust | undefined): Outcome {
  const checkpoint = parseCheckpoint(parseProof(exported.proof).checkpoint)
  const keys = trust?.logKeys ?? exported.logKeys.map(parseVerifier)
  // The key's name is the log's origin; a key of another log says nothing here.
  const ours = keys.filter(({ name }) => name === checkpoint.origin)
  if (ours.length === 0) return fail(`no known key is named \`${checkpoint.origin}\``)
  const anchor = trust === undefined ? ' from this file (not anchored)' : ''
  for (const key of ours) {
    if (verifyCheckpoint(checkpoint, key) === undefined) {
      return fail(`the checkpoint has no good signature by key ${key.name}+${key.id}`)
    }
  }
  const ids = ours.map(({ id }) => id).join(', ')
  return pass(`checkpoint of \`${checkpoint.origin}\` is signed by key ${ids}${anchor}`)
}

function disclosureCheck(disclosure: string, { payload }: Opened): Outcome {
  const opening = verifyDisclosure(disclosure, payload._sd)
  if (opening === undefined) return fail('a disclosure whose digest the record does not hold')
  const { name, json } = opening
  return {
    ...pass(`the salted digest of \`${name}\` stands in the record`),
    disclosed: { name, json },
  }
}
