/** What the caller of an upload is told of it. @module */
import { Problem } from '../../base/problem.ts'
import type { Exchange } from '../exchange.ts'
import type { UploadEnd } from '../upload/ends.ts'
import { inconsistent } from '../upload/fields.ts'
import type { Upload } from '../upload/upload.ts'
import type { Uploads } from '../upload/uploads.ts'
import { identify } from './admit.ts'
import type { PartPorts } from './upload-part.ts'

/** First segment of the paths of uploads; no party has this id. */
export const UPLOADS = 'uploads'

/** The upload that a request names. */
export interface Asked {
  /** @throws {Problem} `upload-unknown`; what ended one that never was complete. */
  find(): Upload | UploadEnd
  /**
   * The same, if something can be added.
   *
   * @param content bytes that would be.
   * @throws {Problem} also `completed-upload`, or `inconsistent-upload-length` for content behind the end.
   */
  open(content?: number): Upload
}

/** Where an upload is. The credentials for it are those for its recipient. */
export function uploadPath({ id, begun }: Upload): string {
  return `/${UPLOADS}/${begun.recipient.id}/${id}`
}

/**
 * Finds out who asks for which upload. Others than its caller learn nothing, not even that it exists.
 *
 * @throws {Problem} `credentials-…`
 */
export async function findUpload(ports: PartPorts, exchange: Exchange): Promise<Asked> {
  const { parties, uploads } = ports
  const [, recipient = '', id = '', ...more] = exchange.target?.path.split('/') ?? []
  await identify(ports, exchange, recipient)
  const party = exchange.caller?.party.id ?? ''
  const known = parties.get(recipient)
  if (known !== undefined) exchange.recipient = known
  const find = () => {
    const found = uploads.find(id, party, recipient)
    if (found === undefined || more.length > 0) {
      throw new Problem('upload-unknown', 'no upload of yours is here')
    }
    if (!hasEnded(found) || found.complete) return found
    throw new Problem(found.problem ?? 'internal', 'the upload has ended; nothing was relayed')
  }
  return {
    find,
    open: (content = 0) => {
      const found = find()
      if (!hasEnded(found) && found.completedUs === undefined) return found
      if (content > 0) throw inconsistent('the upload is complete')
      throw completed()
    },
  }
}

/** Says that an upload is complete. */
export function completed(): Problem {
  return new Problem('completed-upload', 'nothing of it can be changed or called back')
}

/** Answers HEAD, and GET with the same in JSON. */
export async function answerState(
  uploads: Uploads,
  { request, response, method }: Exchange,
  asked: Asked,
): Promise<void> {
  const first = asked.find()
  if (!hasEnded(first) && first.completedUs === undefined) {
    const release = await first.hold(request) // What is told must hold when the next part comes.
    uploads.touch(first)
    release()
  }
  const found = asked.find()
  const fields = stateFields(uploads, found)
  if (method === 'HEAD') {
    response.writeHead(204, [...fields]).end()
    return
  }
  const body = Buffer.from(JSON.stringify(documentOf(found)))
  const framing = ['content-type', 'application/json', 'content-length', String(body.length)]
  response.writeHead(200, [...fields, ...framing]).end(body)
}

/** All that is told of an upload; in pairs. */
export function stateFields(uploads: Uploads, found: Upload | UploadEnd): readonly string[] {
  const fields = ['evidence-id', found.rid, 'cache-control', 'no-store', ...progressFields(found)]
  if (hasEnded(found)) return [...fields, 'evidence-outcome', outcomeText(found)]
  if (found.completedUs !== undefined) return [...fields, 'evidence-outcome', 'pending']
  return [...fields, 'upload-limit', uploads.limitsOf(found)]
}

/** How far it is. */
export function progressFields(found: Upload | UploadEnd): readonly string[] {
  const { complete, offset, length } = progressOf(found)
  const total = length === undefined ? [] : ['upload-length', String(length)]
  return ['upload-complete', complete ? '?1' : '?0', 'upload-offset', String(offset), ...total]
}

function progressOf(found: Upload | UploadEnd) {
  const { length } = found
  if (hasEnded(found)) return { complete: found.complete, offset: found.length, length }
  return { complete: found.completedUs !== undefined, offset: found.offset(), length }
}

function documentOf(found: Upload | UploadEnd) {
  const progress = { evidenceId: found.rid, ...progressOf(found) }
  if (!hasEnded(found)) return progress.complete ? { ...progress, outcome: 'pending' } : progress
  const { outcome, status, recipientStatus, problem } = found
  return { ...progress, outcome, status, recipientStatus, problem }
}

/** An Item of RFC 9651: a token with parameters. */
function outcomeText({ outcome, status, recipientStatus, problem }: UploadEnd): string {
  return [
    outcome,
    ...(status === undefined ? [] : [`status=${status}`]),
    ...(recipientStatus === undefined ? [] : [`recipient-status=${recipientStatus}`]),
    ...(problem === undefined ? [] : [`problem=${problem}`]),
  ].join(';')
}

function hasEnded(found: Upload | UploadEnd): found is UploadEnd {
  return 'outcome' in found
}
