/**
 * Resumable uploads (draft-ietf-httpbis-resumable-upload-12): requests that begin one, add to it, ask
 * for it or cancel it. Once one is whole, its exchange goes the way of every other. @module
 */
import { Problem } from '../../base/problem.ts'
import type { Exchange } from '../exchange.ts'
import {
  contentLength,
  lengthToldBy,
  PART_TYPE,
  readUploadFields,
  writeLimits,
} from '../upload/fields.ts'
import { mediaType } from './headers.ts'
import { routeSizeMax, sizeMaxOf } from './long.ts'
import { LONG_METHODS } from './long-request.ts'
import {
  comingBody,
  inform,
  mayInform,
  type PartPorts,
  requireSize,
  takePart,
  type Turn,
} from './upload-part.ts'
import {
  answerState,
  type Asked,
  completed,
  findUpload,
  progressFields,
  stateFields,
  uploadPath,
} from './upload-state.ts'

/**
 * Tells whether uploads may be begun where an OPTIONS request is sent to, and how long they may be.
 *
 * @returns whether the request is answered; an OPTIONS that a policy names is relayed.
 */
export function announce({ match, limits }: PartPorts, exchange: Exchange): boolean {
  const { method, caller, target, response } = exchange
  if (method !== 'OPTIONS' || !caller || !target) return false
  const find = (name: string) => match(caller.party.id, target.recipient, name, target.path)
  const policies = [...LONG_METHODS].map((name) => find(name)?.policy).filter((each) => each !== undefined) // prettier-ignore
  if (find(method) !== undefined || policies.length === 0) return false
  const sizeMax = Math.min(...policies.map((policy) => routeSizeMax(limits, policy)))
  response.writeHead(204, [
    ...['allow', policies.map(({ when }) => when.method).join(', '), 'accept-patch', PART_TYPE],
    ...['upload-limit', writeLimits(sizeMax, limits.UPLOAD_IDLE_MS)],
  ])
  response.end()
  return true
}

/**
 * Begins an upload where the request asks for one, and takes its first part.
 *
 * @returns whether the turn's exchange goes on: its body is whole, or is still to be read from the
 *   request as always. Otherwise the request has its answer.
 */
export async function beginUpload(ports: PartPorts, turn: Turn): Promise<boolean> {
  const { uploads, limits } = ports
  const { exchange } = turn
  const { head, request, method, caller, recipient, route, target, receivedUs } = exchange
  if (!head || !caller || !recipient || !route || !target) throw new Problem('internal', '')
  if (!head.has('upload-complete')) return true
  const fields = readUploadFields(head)
  const { complete = false } = fields
  const informs = mayInform(exchange, fields)
  const isLong = LONG_METHODS.has(method) && contentLength(head) !== 0
  // Nobody could go on with what nobody is told of, or with nothing: it is relayed while it comes.
  if (complete && !(informs && isLong && uploads.mayBegin(caller.party.id))) return true
  if (!LONG_METHODS.has(method)) {
    throw new Problem('request-malformed', `uploads begin with ${[...LONG_METHODS].join(', ')}`)
  }
  exchange.long = comingBody(exchange)
  const sizeMax = sizeMaxOf(limits, route, head)
  const length = lengthToldBy(fields, head, 0)
  requireSize(limits, exchange, length ?? contentLength(head) ?? 0, sizeMax)
  // That of the first part is no digest of the whole.
  const whole = new Map([...head].filter(([name]) => name !== 'content-digest'))
  const begun = { head: whole, target, caller, recipient, route, method, receivedUs }
  const upload = await uploads.begin(begun, sizeMax, length)
  const release = await upload.hold(request)
  try {
    const place = ['location', uploadPath(upload)]
    if (informs) inform(exchange, [...place, 'upload-limit', uploads.limitsOf(upload)])
    const taken = await takePart(ports, turn, upload, { ...fields, complete, length })
    if (taken === 'broken' && !informs) {
      throw new Problem('body-malformed', 'the body broke off or is framed wrongly')
    }
    return end(turn, taken, 201, [...place, ...stateFields(uploads, upload)])
  } catch (error) {
    // Its caller does not know where it is.
    if (!informs) uploads.forget(upload)
    throw error
  } finally {
    release()
  }
}

/**
 * Does what is asked of an upload.
 *
 * @returns as `beginUpload`.
 */
export async function askUpload(ports: PartPorts, turn: Turn): Promise<boolean> {
  const { method, response } = turn.exchange
  const asked = await findUpload(ports, turn.exchange)
  switch (method) {
    case 'HEAD':
    case 'GET':
      await answerState(ports.uploads, turn.exchange, asked)
      return false
    case 'PATCH':
      return await addPart(ports, turn, asked)
    case 'DELETE': {
      const upload = asked.open()
      if (!(await ports.uploads.abandon(upload, 'upload-cancelled'))) throw completed()
      response.writeHead(204, ['evidence-id', upload.rid]).end()
      return false
    }
    default:
      throw new Problem('route-unknown', 'an upload takes HEAD, GET, PATCH and DELETE')
  }
}

async function addPart(ports: PartPorts, turn: Turn, asked: Asked): Promise<boolean> {
  const { limits, uploads } = ports
  const { exchange } = turn
  const { head, request } = exchange
  if (!head) throw new Problem('internal', '')
  exchange.long = comingBody(exchange)
  const fields = readPartFields(exchange)
  const content = contentLength(head)
  const release = await asked.open(content).hold(request)
  try {
    const upload = asked.open(content) // It may have ended while this request waited.
    const offset = upload.offset()
    if (fields.offset !== offset) {
      exchange.marks = progressFields(upload)
      const members = { 'expected-offset': offset, 'provided-offset': fields.offset }
      throw new Problem('mismatching-upload-offset', `expected ${offset}`, { members })
    }
    const told = lengthToldBy(fields, head, offset, upload.length)
    requireSize(limits, exchange, told ?? offset + (content ?? 0), upload.sizeMax)
    const taken = await takePart(ports, turn, upload, { ...fields, length: told })
    return end(turn, taken, 204, stateFields(uploads, upload))
  } finally {
    release()
  }
}

/** @throws {Problem} `media-type-unsupported`, `request-malformed` */
function readPartFields(exchange: Exchange) {
  const { head } = exchange
  if (!head) throw new Problem('internal', '')
  // A coding is one of the whole, so it stood in the request that began the upload.
  if (mediaType(head) !== PART_TYPE || head.has('content-encoding')) {
    exchange.marks = ['accept-patch', PART_TYPE]
    throw new Problem('media-type-unsupported', `expected ${PART_TYPE} without a content coding`)
  }
  const fields = readUploadFields(head)
  const { complete, offset } = fields
  if (complete === undefined || offset === undefined) {
    throw new Problem('request-malformed', 'expected `upload-complete` and `upload-offset`')
  }
  return { ...fields, complete, offset }
}

/** What follows a part: the relay of the whole, an answer, or nothing, for nobody waits. */
function end(
  { exchange: { response } }: Turn,
  taken: 'whole' | 'part' | 'broken',
  status: number,
  fields: readonly string[],
): boolean {
  if (taken === 'broken') response.destroy()
  if (taken === 'part') response.writeHead(status, [...fields]).end()
  return taken === 'whole'
}
