/** A witness (c2sp.org/tlog-witness): pins the history of logs by cosigning what extends it. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import {
  type Checkpoint,
  checkpointText,
  cosign,
  parseCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts'
import type { LockState, LockStore } from './lock.ts'
import { EMPTY_ROOT, verifyConsistency } from './merkle.ts'
import { keysOf } from './line-name.ts'
import type { NoteSigner, Verifier } from './note.ts'
import { parseHash } from './proof.ts'
import { seconds } from './recover.ts'
import { REQUEST_HASHES_MAX } from './limits.ts'

/** A witness's keys, the logs it knows, and its one piece of state per log. */
export interface WitnessPorts {
  /** Keys of type 0x04 or 0x06. */
  readonly cosigners: readonly NoteSigner[]
  /** Log keys, named by a log's origin or by its line. */
  readonly logs: readonly Verifier[]
  /** The newest checkpoint cosigned, by origin. Losing it lets a log start a second history. */
  readonly state: LockStore
  readonly clock: Clock
}

/** What the HTTP edge sends back. `size` marks a 409 whose body is a tree size. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly body: string
  readonly size?: true
}

interface Request {
  readonly old: number
  readonly proof: readonly Buffer[]
  readonly checkpoint: Checkpoint
  readonly text: string
}

/**
 * Answers `add-checkpoint`: cosigns a checkpoint that extends the newest one cosigned before, and
 * remembers it durably first.
 */
export async function addCheckpoint(ports: WitnessPorts, body: string): Promise<WitnessAnswer> {
  let request: Request
  try {
    request = parseRequest(body)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return refuse(400, error.message)
  }
  const { old, checkpoint } = request
  const keys = keysOf(ports.logs, checkpoint.origin)
  if (keys.length === 0) return refuse(404, 'unknown log')
  if (!keys.some((key) => verifyCheckpoint(checkpoint, key) !== undefined)) {
    return refuse(403, 'no good signature by a known key of this log')
  }
  if (old > checkpoint.size) return refuse(400, "the old size is above the checkpoint's")
  const before = await ports.state.read(checkpoint.origin)
  const last = before === undefined ? undefined : parseCheckpoint(before.checkpoint)
  if (old !== (last?.size ?? 0)) return conflict(last?.size ?? 0)
  if (last?.size === checkpoint.size && !last.root.equals(checkpoint.root)) {
    return refuse(409, 'another root was cosigned at this size')
  }
  if (!extendsLast(last, request)) return refuse(422, 'the consistency proof does not verify')
  return remember(ports, before, request)
}

/** The newest checkpoint that this witness cosigned for a log; monitors compare it with what they see. */
export async function cosignedCheckpoint(
  { state }: WitnessPorts,
  origin: string,
): Promise<string | undefined> {
  return (await state.read(origin))?.checkpoint
}

async function remember(
  { state, cosigners, clock }: WitnessPorts,
  before: LockState | undefined,
  { checkpoint, text }: Request,
): Promise<WitnessAnswer> {
  const { origin } = checkpoint
  const nowUs = clock.wallUs()
  const lines = cosigners
    .map((signer) => cosign(signer, checkpoint, checkpoint.note.text, seconds(nowUs)))
    .join('')
  if (await state.swap(origin, before, { checkpoint: text + lines, timeUs: nowUs })) {
    return { status: 200, body: lines }
  }
  // Another request came between: the caller asks again from the size that it left.
  const now = await state.read(origin)
  return conflict(now === undefined ? 0 : parseCheckpoint(now.checkpoint).size)
}

function extendsLast(last: Checkpoint | undefined, { checkpoint, proof }: Request): boolean {
  if (last === undefined || last.size === 0) {
    return proof.length === 0 && (checkpoint.size > 0 || checkpoint.root.equals(EMPTY_ROOT))
  }
  return verifyConsistency(last.size, checkpoint.size, last.root, checkpoint.root, proof)
}

/** Writes the body of add-checkpoint (c2sp.org/tlog-witness). */
export function formatRequest(old: number, proof: readonly Buffer[], checkpoint: string): string {
  const lines = [`old ${old}`, ...proof.map((hash) => hash.toString('base64'))]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Reads the body of add-checkpoint (c2sp.org/tlog-witness). @throws {Problem} `request-malformed`. */
export function parseRequest(body: string): Request {
  // Attacker-controlled: anybody may send this.
  const end = body.indexOf('\n\n')
  const [oldLine = '', ...hashes] = body.slice(0, Math.max(end, 0)).split('\n')
  const old = Number(/^old (0|[1-9]\d{0,15})$/.exec(oldLine)?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(old) || hashes.length > REQUEST_HASHES_MAX) {
    throw new Problem('request-malformed', 'expected `old <size>` and at most 63 hashes')
  }
  const text = body.slice(end + 2)
  const checkpoint = parseCheckpoint(text)
  if (checkpoint.note.text !== checkpointText(checkpoint)) {
    throw new Problem('request-malformed', 'checkpoints with extension lines are not cosigned')
  }
  return { old, proof: hashes.map(parseHash), checkpoint, text }
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, body: `${size}\n`, size: true }
}

function refuse(status: 400 | 403 | 404 | 409 | 422, why: string): WitnessAnswer {
  return { status, body: `${why}\n` }
}
