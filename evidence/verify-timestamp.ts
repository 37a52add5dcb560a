/** The time stamp checks of a verification: until when at the latest did the record exist. @module */
import { toBase64url } from '../base/base64url.ts'
import type { ExportedRecord } from './export-format.ts'
import { leafHash, verifyInclusion } from './log/merkle.ts'
import { parseCheckpoint } from './log/checkpoint.ts'
import { parseProof } from './log/proof.ts'
import { remember } from './memo.ts'
import { verifyTimestampResponse } from './timestamp/verify.ts'
import { readCertificate } from './x509-profile.ts'
import { listsBy } from './x509-revocation.ts'
import type { RevocationLists } from './verify-certificate.ts'
import type { Trust } from './verify-trust.ts'

/** Milliseconds by which a record may say to be younger than a time stamp over it. */
const CLOCK_DISTANCE_MS = 300_000

/** What one time stamp, or the absence of any, says. */
export interface StampFinding {
  readonly ok: boolean
  /** Nothing was there to compare. */
  readonly absent?: true
  readonly text: string
  /** The path of the authority's certificate, DER; empty when there is none. */
  readonly chain: readonly Uint8Array[]
}

/** What a response over a checkpoint comes to; `time` only when it is good. */
interface Judged extends StampFinding {
  readonly time?: Date
}

/** Judges responses, each over the same bytes once. */
export type Tokens = (
  response: string,
  checkpoint: string,
  roots: readonly Uint8Array[],
  lists: RevocationLists | undefined,
) => Promise<Judged>

/** Responses that one verifier remembers. */
const RESPONSES_MAX = 1024

/**
 * Makes a judge of responses; bad ones are not remembered. Where a list of an authority of the path
 * is at hand, every certificate below the root needs one.
 *
 * @param own revocation lists of the reader, DER.
 */
export function createTokens(own: readonly Uint8Array[] = []): Tokens {
  const known = new Map<string, Judged>()
  const keep = (key: string, judged: Judged): Judged =>
    judged.ok ? remember(known, RESPONSES_MAX, key, judged) : judged
  return async (response, checkpoint, roots, lists) => {
    const key = `${response} ${checkpoint} ${roots.map((der) => toBase64url(der)).join()}`
    const listed = `${key} lists ${lists?.id}`
    const before = known.get(listed)
    if (before !== undefined) return before
    const path = keep(key, known.get(key) ?? (await judge(response, checkpoint, roots, [])))
    if (!path.ok) return path
    const fitting = await listsBy(path.chain.slice(1), [...own, ...(lists?.ders ?? [])])
    if (fitting.length > 0) return keep(listed, await judge(response, checkpoint, roots, fitting))
    return keep(listed, { ...path, text: `${path.text}; no revocation list tells of it` })
  }
}

async function judge(
  response: string,
  checkpoint: string,
  roots: readonly Uint8Array[],
  lists: readonly Uint8Array[],
): Promise<Judged> {
  const bytes = Buffer.from(response, 'base64')
  if (bytes.toString('base64') !== response) {
    return { ok: false, chain: [], text: 'not canonical base64' }
  }
  const data = Buffer.from(checkpoint)
  const { valid, reasons, info, chain, development } = await verifyTimestampResponse(bytes, data, {
    roots,
    ...(lists.length === 0 ? {} : { revocationLists: lists }),
  })
  const [leaf] = chain
  if (!valid || info === undefined || leaf === undefined) {
    return { ok: false, chain, text: `no good time stamp: ${reasons.join('; ')}` }
  }
  const { time } = info
  const by = readCertificate(leaf).subject
  const standing = development
    ? 'a development authority, whose time is untrusted (非依法设立的时间戳服务机构签发)'
    : 'a trusted authority'
  return {
    ok: true,
    chain,
    time,
    text: `existed by ${time.toISOString()}, says ${by}, ${standing}${lists.length === 0 ? '' : '; by the lists not revoked'}`,
  }
}

/** What the check of time stamps shares with the other checks. */
export interface StampPorts {
  /** Whether a checkpoint has the log's signatures. */
  readonly signed: (checkpoint: string) => boolean
  readonly tokens: Tokens
  /** Those that came with the evidence. */
  readonly lists: RevocationLists | undefined
}

/**
 * Checks each time stamp of an exported record: the stamped checkpoint is one of the log and holds
 * the record, and the token over its bytes is by an authority that the reader trusts.
 *
 * @param sealedAt when the record says that it was sealed.
 */
export async function checkStamps(
  exported: ExportedRecord,
  trust: Trust | undefined,
  { signed, tokens, lists }: StampPorts,
  sealedAt: Date | undefined,
): Promise<StampFinding[]> {
  const { stamps = [], leaf } = exported
  const roots = rootsOf(exported, trust)
  const findings: StampFinding[] = []
  for (const stamp of stamps) {
    const { index, hashes, checkpoint } = parseProof(stamp.proof)
    const { size, root } = parseCheckpoint(checkpoint)
    const place = `the checkpoint of ${size} records`
    if (!signed(checkpoint)) {
      findings.push({ ok: false, chain: [], text: `${place} has no good signature of the log` })
    } else if (!verifyInclusion(index, size, leafHash(Buffer.from(leaf)), root, hashes)) {
      findings.push({ ok: false, chain: [], text: `the hashes do not prove the leaf in ${place}` })
    } else {
      for (const response of stamp.responses) {
        const judged = await tokens(response, checkpoint, roots, lists)
        const finding = inOrder(judged, sealedAt)
        findings.push({ ...finding, text: `${place}: ${finding.text}` })
      }
    }
  }
  if (findings.length > 0) return findings
  const text = 'not stamped yet; that the record existed by its own time is the gateway\'s word alone' // prettier-ignore
  return [{ ok: true, absent: true, chain: [], text }]
}

/** Without anchors of the reader, the file's own are taken, as for certificates. */
function rootsOf(
  { timestampRoots = [] }: ExportedRecord,
  trust: Trust | undefined,
): readonly Uint8Array[] {
  if (trust !== undefined) return trust.timestampRoots ?? trust.roots
  return timestampRoots.map((text) => Buffer.from(text, 'base64'))
}

/** A record cannot be younger than a time stamp over it. */
function inOrder({ time, ...finding }: Judged, sealedAt: Date | undefined): StampFinding {
  if (time === undefined || sealedAt === undefined) return finding
  if (sealedAt.getTime() <= time.getTime() + CLOCK_DISTANCE_MS) return finding
  const text = `${finding.text}; but the record says to be younger, ${sealedAt.toISOString()}`
  return { ...finding, ok: false, text }
}
