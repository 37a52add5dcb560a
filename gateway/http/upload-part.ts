/** A part of a resumable upload: taken while it comes, as far as it comes. @module */
import { Problem } from '../../base/problem.ts'
import type { Exchange, LongBody } from '../exchange.ts'
import { passDigest } from '../signature/digest.ts'
import {
  contentLength,
  inconsistent,
  INTEROP_VERSION,
  type UploadFields,
  writeLimits,
} from '../upload/fields.ts'
import type { Upload } from '../upload/upload.ts'
import { tooLarge } from '../upload/upload-table.ts'
import type { Uploads } from '../upload/uploads.ts'
import type { AdmitPorts } from './admit.ts'
import { restOf } from './body.ts'
import type { RelayLimits } from './limits.ts'
import { pullBody } from './pull.ts'
import { progressFields } from './upload-state.ts'

/** What resumable uploads need of the rest of the gateway. */
export interface PartPorts extends AdmitPorts {
  readonly uploads: Uploads
}

/** The exchange that a request is about: one that makes an upload whole goes on as that upload's. */
export interface Turn {
  exchange: Exchange
}

const BROKEN = { slug: 'body-malformed', detail: 'the body broke off' } as const
/** What makes an upload useless once it is found in its bytes. */
const FATAL: ReadonlySet<string> = new Set(['body-too-large', 'inconsistent-upload-length'])

/**
 * Takes what comes. A part with a Content-Digest counts once all of it is there and the digest fits, or
 * not at all; of any other, what came counts.
 *
 * @param fields with the length that is known by now.
 * @returns `whole` when the turn's exchange is now the upload's; `broken` when the request broke off.
 */
export async function takePart(
  ports: PartPorts,
  turn: Turn,
  upload: Upload,
  fields: UploadFields & { readonly complete: boolean },
): Promise<'whole' | 'part' | 'broken'> {
  const { exchange } = turn
  const { request, response, head, long } = exchange
  if (!head || !long) throw new Problem('internal', '')
  if (head.has('expect')) response.writeContinue()
  const digest = head.get('content-digest')
  const known = upload.length
  upload.length = fields.length
  const source = pullBody(long, ports.limits.STREAM_IDLE_TIMEOUT_MS, BROKEN)
  try {
    await upload.append(digest === undefined ? source : passDigest(digest, source), {
      wholly: digest !== undefined,
      room: (bytes) => ports.uploads.room(upload, bytes),
      added: follow(ports, exchange, upload, digest === undefined && mayInform(exchange, fields)),
    })
  } catch (error) {
    if (request.destroyed && !request.complete) return 'broken'
    if (error instanceof Problem && FATAL.has(error.slug)) {
      turn.exchange = exchangeOf(upload, exchange)
      turn.exchange.marks = ['upload-limit', ports.uploads.limitsOf(upload)]
      const { slug: problem, status } = error
      ports.uploads.end(upload, { outcome: 'refused', problem, status })
    }
    upload.length = known // A request that is refused has told nothing.
    throw error
  }
  if (!fields.complete) return 'part'
  await completeUpload(ports, turn, upload)
  return 'whole'
}

/** @returns is told of each piece: it keeps the upload alive, and tells the caller now and then. */
function follow(
  { limits, uploads }: PartPorts,
  exchange: Exchange,
  upload: Upload,
  informs: boolean,
): () => void {
  let told = upload.offset()
  uploads.touch(upload)
  return () => {
    uploads.touch(upload)
    if (!informs || upload.offset() - told < limits.UPLOAD_PROGRESS_BYTES) return
    told = upload.offset()
    inform(exchange, ['upload-offset', String(told)])
  }
}

/** From here on the exchange is the upload's. */
async function completeUpload({ uploads }: PartPorts, turn: Turn, upload: Upload): Promise<void> {
  const offset = upload.offset()
  const { length = offset } = upload
  if (length !== offset) throw inconsistent(`${offset} of ${length} bytes have come`)
  upload.length = length
  turn.exchange = exchangeOf(upload, turn.exchange)
  const noted = uploads.complete(upload)
  turn.exchange.marks = progressFields(upload)
  await noted
  upload.check()
}

/** The exchange that was begun, with the credentials and the connection of the newest request. */
function exchangeOf(
  upload: Upload,
  { request, response, caller = upload.begun.caller, long }: Exchange,
): Exchange {
  const { begun, rid } = upload
  return { ...begun, caller, rid, request, response, upload, ...(request.complete || !long ? {} : { long }) } // prettier-ignore
}

/** The body of a request, as it comes. */
export function comingBody({ request, head }: Exchange): LongBody {
  return { prefix: [], rest: restOf(request), length: head && contentLength(head) }
}

/** @throws {Problem} `body-too-large`, with the limit */
export function requireSize(
  limits: RelayLimits,
  exchange: Exchange,
  size: number,
  sizeMax: number,
): void {
  if (size <= sizeMax) return
  exchange.marks = ['upload-limit', writeLimits(sizeMax, limits.UPLOAD_IDLE_MS)]
  throw tooLarge(sizeMax)
}

/** Whether a caller can be told while its body comes: drafts want both sides to name one version. */
export function mayInform({ request, response }: Exchange, { interop }: UploadFields): boolean {
  // HTTP/1.0 has no interim responses, and node before 26.2 writes none of this status.
  const can = request.httpVersion === '1.1' && 'writeInformation' in response
  return can && interop === INTEROP_VERSION
}

/** Sends a 104 (Upload Resumption Supported). */
export function inform({ response }: Exchange, fields: readonly string[]): void {
  const version = ['upload-draft-interop-version', String(INTEROP_VERSION)]
  response.writeInformation(104, [...version, ...fields])
}
