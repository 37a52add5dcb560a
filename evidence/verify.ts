/** Verifies one exported record offline and tells each thing that was compared. @module */
import { Problem } from '../base/problem.ts'
import { fromBase64url } from '../base/base64url.ts'
import type { ChainResult } from './certificate.ts'
import { verifyDisclosure } from './commitment.ts'
import { verifySignature } from './crypto.ts'
import { type ExportedRecord, parseStrictJson } from './export-format.ts'
import { parseCheckpoint, verifyCheckpoint } from './log/checkpoint.ts'
import { leafHash, verifyInclusion } from './log/merkle.ts'
import { keysOf } from './log/line-name.ts'
import { parseVerifier, type Verifier } from './log/note.ts'
import { checkPolicy, type WitnessPolicy } from './log/policy.ts'
import { parseProof } from './log/proof.ts'
import { remember } from './memo.ts'
import { readRecord, recordDigest } from './seal.ts'
import {
  type Certificates,
  createCertificates,
  type RevocationLists,
} from './verify-certificate.ts'
import { checkLeaf } from './verify-leaf.ts'
import { explainErasure } from './verify-erasure.ts'
import { rowFinding } from './verify-row.ts'
import {
  checkStamps,
  createTokens,
  type StampFinding,
  type StampPorts,
} from './verify-timestamp.ts'
import type { Trust } from './verify-trust.ts'

/** Checkpoints that one verifier remembers. */
const CHECKPOINTS_MAX = 64

/** The check names, in the order in which they run. Public: reports and scripts name them. */
export type CheckName =
  | 'record-form'
  | 'payload-form'
  | 'certificate'
  | 'signature'
  | 'leaf'
  | 'inclusion'
  | 'checkpoint'
  | 'witnesses'
  | 'timestamp'
  | 'disclosure'
  | 'row'
  | 'erasure'

/** One comparison. `text` says what was compared with what; lower case, one line. */
export interface Check {
  readonly name: CheckName
  readonly ok: boolean
  readonly text: string
  /** Nothing was there to compare: no time stamp yet. */
  readonly absent?: true
  /** Nobody can say any more what was committed to: the originals were erased under a rule. */
  readonly indeterminate?: true
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
  /** The path of the seal certificate, leaf to root, then those of the time stamps; DER. */
  readonly paths: readonly (readonly Uint8Array[])[]
}

type Opened = ReturnType<typeof readRecord>

/** Verifies exported records, one after the other, against the same anchors. Never throws on a hostile file. */
export type ExportVerifier = (
  exported: ExportedRecord,
  lists?: RevocationLists,
) => Promise<Verification>

/** Verifies one exported record: see `createExportVerifier`. */
export function verifyExported(
  exported: ExportedRecord,
  trust: Trust | undefined,
): Promise<Verification> {
  return createExportVerifier(trust)(exported)
}

/**
 * Makes a verifier that runs every check that can be run; a failed one does not stop the others. It
 * remembers chains and checkpoints that were good, so that many records cost one signature each.
 *
 * @param trust the reader's anchors; undefined uses each file's own, and says `not-anchored`.
 */
export function createExportVerifier(trust: Trust | undefined): ExportVerifier {
  const certificates = createCertificates(trust)
  const checkpoints = new Map<string, Outcome>()
  const tokens = createTokens(trust?.revocationLists)
  const verifyOne: ExportVerifier = async (exported, lists) => {
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
    const [certificate, found] = await certificateCheck(exported, record, trust, {
      certificates,
      lists,
    })
    checks.push({ name: 'certificate', ...certificate })
    run('signature', () => signatureCheck(exported, opened(record), certificates))
    run('leaf', () => checkLeaf(exported, opened(record)))
    run('inclusion', () => inclusionCheck(exported))
    const signed = (text: string) => checkpointCheck(text, exported, trust, checkpoints)
    run('checkpoint', () => signed(parseProof(exported.proof).checkpoint))
    const policy = trust?.policy
    if (policy !== undefined) run('witnesses', () => witnessCheck(exported, policy))
    const stamps = await stampChecks(exported, record, trust, { signed, tokens, lists })
    for (const { chain: _, ...finding } of stamps) checks.push({ name: 'timestamp', ...finding })
    for (const disclosure of exported.disclosures) {
      run('disclosure', () => disclosureCheck(disclosure, opened(record)))
    }
    for (const row of exported.rows ?? []) run('row', () => rowFinding(opened(record).payload, row))
    for (const erasure of exported.erasures ?? []) {
      const known = (await verifyOne(erasure, lists)).verdict !== 'invalid'
      run('erasure', () => {
        const text = explainErasure(erasure, opened(record).payload.rid, known)
        return { ...pass(text), indeterminate: true }
      })
    }
    const good = checks.every(({ ok }) => ok)
    const verdict = good ? (trust === undefined ? 'not-anchored' : 'valid') : 'invalid'
    const named = record === undefined ? {} : { rid: record.payload.rid, kind: record.payload.kind }
    const paths = [found, ...stamps].map(({ chain }) => chain)
    return { verdict, checks, development: found.development, paths, ...named }
  }
  return verifyOne
}

type Outcome = Omit<Check, 'name'>
const pass = (text: string): Outcome => ({ ok: true, text })
const fail = (text: string): Outcome => ({ ok: false, text })

/** A Problem is a failed check; anything else that a hostile file provokes is one too, unexplained. */
function guarded(work: () => Outcome): Outcome {
  try {
    return work()
  } catch (error) {
    return fail(explain(error))
  }
}

/** A text that holds nothing of the file but what a Problem says. */
function explain(error: unknown): string {
  return error instanceof Problem ? error.message : 'this part of the file cannot be read'
}

function opened(record: Opened | undefined): Opened {
  if (record !== undefined) return record
  throw new Problem('request-malformed', 'not checked: the record cannot be read')
}

function payloadForm({ record }: ExportedRecord): Outcome {
  const bytes = fromBase64url(record.split('.')[1] ?? '')
  parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  return pass('the payload is JSON without repeated names')
}

async function certificateCheck(
  exported: ExportedRecord,
  record: Opened | undefined,
  trust: Trust | undefined,
  { certificates, lists }: { certificates: Certificates; lists: RevocationLists | undefined },
): Promise<[Outcome, Pick<ChainResult, 'chain' | 'development'>]> {
  const nothing = { chain: [], development: false }
  try {
    const at = new Date(opened(record).header.iat * 1000)
    const [leaf] = exported.certificates
    if (leaf === undefined) return [fail('the file has no certificate'), nothing]
    const { subject, notBefore, notAfter } = certificates.read(leaf)
    const result = await certificates.check(exported.certificates, at, lists)
    const span = `${notBefore.toISOString()} to ${notAfter.toISOString()}`
    const text = `${subject}, valid ${span}, sealed ${at.toISOString()}`
    const listed = result.listed ? ', by the lists not revoked' : ''
    const root = trust === undefined ? 'the root in this file (not anchored)' : 'a trusted root'
    const anchor = `${root}${listed}`
    if (result.valid) return [pass(`${text}, leads to ${anchor}`), result]
    return [fail(`${text}: ${result.reasons.join('; ')}`), result]
  } catch (error) {
    return [fail(explain(error)), nothing]
  }
}

function signatureCheck(
  exported: ExportedRecord,
  record: Opened,
  certificates: Certificates,
): Outcome {
  const { thumbprint, key } = certificates.read(exported.certificates[0] ?? '')
  if (record.header['x5t#S256'] !== thumbprint) {
    return fail(`the record names certificate ${record.header['x5t#S256']}, not ${thumbprint}`)
  }
  const good = verifySignature('ES256', key, Buffer.from(record.signingInput), record.signature)
  const text = `ES256 signature over the record by certificate ${thumbprint}`
  return good ? pass(text) : fail(`no good ${text}`)
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

function checkpointCheck(
  text: string,
  exported: ExportedRecord,
  trust: Trust | undefined,
  known: Map<string, Outcome>,
): Outcome {
  const keys = trust?.logKeys ?? exported.logKeys.map(parseVerifier)
  const memory = trust === undefined ? undefined : known.get(text)
  const outcome = memory ?? checkSignatures(text, keys, trust !== undefined)
  return remember(known, CHECKPOINTS_MAX, text, outcome)
}

function checkSignatures(text: string, keys: readonly Verifier[], anchored: boolean): Outcome {
  const checkpoint = parseCheckpoint(text)
  // The key's name is the log's origin; a key of another log says nothing here.
  const ours = keysOf(keys, checkpoint.origin)
  if (ours.length === 0) return fail(`no known key is named \`${checkpoint.origin}\``)
  for (const key of ours) {
    if (verifyCheckpoint(checkpoint, key) === undefined) {
      return fail(`the checkpoint has no good signature by key ${key.name}+${key.id}`)
    }
  }
  const ids = ours.map(({ id }) => id).join(', ')
  const anchor = anchored ? '' : ' from this file (not anchored)'
  return pass(`checkpoint of \`${checkpoint.origin}\` is signed by key ${ids}${anchor}`)
}

async function stampChecks(
  exported: ExportedRecord,
  record: Opened | undefined,
  trust: Trust | undefined,
  ports: Omit<StampPorts, 'signed'> & { signed: (checkpoint: string) => Outcome },
): Promise<StampFinding[]> {
  const sealedAt = record === undefined ? undefined : new Date(record.header.iat * 1000)
  try {
    const signed = (text: string) => ports.signed(text).ok
    return await checkStamps(exported, trust, { ...ports, signed }, sealedAt)
  } catch (error) {
    return [{ ...fail(explain(error)), chain: [] }]
  }
}

function witnessCheck({ proof }: ExportedRecord, policy: WitnessPolicy): Outcome {
  const { met, cosigned } = checkPolicy(policy, parseCheckpoint(parseProof(proof).checkpoint))
  const list = cosigned.map(
    ({ name, timeS }) => `\`${name}\` at ${new Date(timeS * 1000).toISOString()}`,
  )
  const names = list.length === 0 ? 'nobody of the policy' : list.join(', ')
  const text = `cosigned by ${names}`
  return met ? pass(text) : fail(`${text}, the quorum \`${policy.quorum}\` needs more`)
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
