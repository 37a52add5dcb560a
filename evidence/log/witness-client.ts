/** Asks witnesses for cosignatures, and compares their view of the log with ours. @module */
import { Problem } from '../../base/problem.ts'
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { sha256 } from '../crypto.ts'
import { parseNote, signatureLine, signaturesOf, type Verifier } from './note.ts'
import { checkPolicy, type PolicyResult, type Witness, type WitnessPolicy } from './policy.ts'
import type { LogReader } from './reader.ts'
import { formatRequest } from './witness.ts'
import { NOTE_BYTES_MAX, WITNESS_TIMEOUT_MS, WITNESS_TRIES_MAX } from './limits.ts'

/** What went wrong with one witness. */
export interface WitnessFailure {
  readonly name: string
  readonly problem: Problem
}

/** A checkpoint with its cosignatures. */
export interface Cosigned extends PolicyResult {
  readonly text: string
  readonly failures: readonly WitnessFailure[]
}

/** Collects cosignatures on the reader's checkpoint from every witness of the policy that has an address. */
export async function collectCosignatures(
  reader: LogReader,
  policy: WitnessPolicy,
): Promise<Cosigned> {
  const failures: WitnessFailure[] = []
  const lines = await Promise.all(
    policy.witnesses.map(async (witness) => {
      if (witness.url === undefined) return ''
      try {
        return await requestCosignature(witness.url, witness.verifier, reader)
      } catch (error) {
        failures.push({ name: witness.name, problem: toProblem(error, witness) })
        return ''
      }
    }),
  )
  const text = reader.text + lines.join('')
  return { text, failures, ...checkPolicy(policy, parseCheckpoint(text)) }
}

/**
 * Submits the reader's checkpoint to one witness.
 *
 * @returns the witness's signature line, verified.
 * @throws {Problem} `log-inconsistent` when the witness has seen another history: keep both
 *   checkpoints, they prove it; `log-unavailable` when it does not answer as specified.
 */
export async function requestCosignature(
  url: string,
  verifier: Verifier,
  reader: LogReader,
): Promise<string> {
  const { size } = reader.checkpoint
  let old = 0
  for (let tries = 0; tries < WITNESS_TRIES_MAX; tries += 1) {
    const proof = old > 0 && old < size ? await reader.consistency(old) : []
    const answer = await exchange(`${url}/add-checkpoint`, formatRequest(old, proof, reader.text))
    if (answer.status === 200) return ownLine(reader.text, answer.body, verifier)
    if (answer.status === 422) throw fork(verifier, `does not find size ${old} in this log`)
    const seen =
      answer.status === 409 ? Number(/^(\d{1,15})\n$/.exec(answer.body)?.[1]) : Number.NaN
    if (answer.status !== 409) {
      throw new Problem('log-unavailable', `witness answered with status ${answer.status}`)
    }
    if (Number.isNaN(seen)) throw fork(verifier, `has cosigned another root at size ${size}`)
    if (seen > size) throw fork(verifier, `has seen ${seen} records, this log has ${size}`)
    old = seen
  }
  throw new Problem('log-unavailable', 'the witness is busy with other checkpoints')
}

/** A witness's newest checkpoint of a log, cosigned by it, verbatim. */
export interface WitnessView {
  readonly text: string
  readonly checkpoint: Checkpoint
}

/** Fetches what a witness saw. @throws {Problem} `log-unavailable` when there is no good answer. */
export async function fetchView(
  url: string,
  verifier: Verifier,
  origin: string,
): Promise<WitnessView> {
  const { status, body } = await exchange(`${url}/${sha256(origin).toString('hex')}/checkpoint`)
  if (status !== 200) throw new Problem('log-unavailable', `witness answered with status ${status}`)
  const checkpoint = parseCheckpoint(body)
  if (checkpoint.origin === origin && verifyCheckpoint(checkpoint, verifier) !== undefined) {
    return { text: body, checkpoint }
  }
  throw new Problem('log-unavailable', 'the witness\'s checkpoint is not one that it cosigned') // prettier-ignore
}

/**
 * Compares a witness's newest checkpoint of this log with the log.
 *
 * @returns its size; a larger one than ours tells nothing yet.
 * @throws {Problem} `log-inconsistent` on a split view, `log-unavailable` when there is no answer.
 */
export async function compareView(
  url: string,
  verifier: Verifier,
  reader: LogReader,
): Promise<number> {
  const { origin, size } = reader.checkpoint
  const { checkpoint: theirs } = await fetchView(url, verifier, origin)
  if (theirs.size <= size && !(await reader.root(theirs.size)).equals(theirs.root)) {
    throw fork(verifier, `has cosigned another root at size ${theirs.size}`)
  }
  return theirs.size
}

/** Keeps only the line of the key that was asked: witnesses may send others. */
function ownLine(checkpoint: string, lines: string, verifier: Verifier): string {
  const note = parseNote(checkpoint + lines)
  for (const bytes of signaturesOf(note, verifier)) {
    const line = signatureLine(verifier, bytes)
    if (verifyCheckpoint(parseCheckpoint(checkpoint + line), verifier)?.timeS) return line
  }
  throw new Problem('log-unavailable', 'the witness sent no good cosignature')
}

async function exchange(url: string, body?: string): Promise<{ status: number; body: string }> {
  const options = body === undefined ? {} : { method: 'POST', body }
  try {
    const response = await fetch(url, {
      ...options,
      redirect: 'error',
      signal: AbortSignal.timeout(WITNESS_TIMEOUT_MS),
    })
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      if (length > NOTE_BYTES_MAX) throw new Problem('log-unavailable', 'the answer is too long')
      chunks.push(chunk)
    }
    return { status: response.status, body: Buffer.concat(chunks).toString() }
  } catch (cause) {
    throw new Problem('log-unavailable', 'the witness does not answer', { cause })
  }
}

function fork({ name }: Verifier, what: string): Problem {
  return new Problem('log-inconsistent', `split view: witness \`${name}\` ${what}`)
}

function toProblem(error: unknown, { name }: Witness): Problem {
  if (error instanceof Problem) return error
  return new Problem('log-unavailable', `witness \`${name}\` failed`, { cause: error })
}
