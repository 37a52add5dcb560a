/** Queue jobs: batches of sealed records. They hold JWS only, so Redis sees no personal data. @module */
import { hash } from 'node:crypto'
import { Problem } from '../base/problem.ts'
import { RECORD_CHARS_MAX } from '../evidence/limits.ts'
import { BATCH_RECORDS_MAX } from '../evidence/log/limits.ts'
import type { RecordKind, SealedRecord } from '../evidence/record.ts'

/** The queue's name in Redis. */
export const RECORD_QUEUE = 'sealgate-records'

/** What a job carries. Changing it needs a new `v`: gateway and worker restart in any order. */
export interface RecordJob {
  readonly v: 1
  readonly records: readonly SealedRecord[]
}

/** Makes a job of records, which carries nothing but what a record is. */
export function makeJob(records: readonly SealedRecord[]): RecordJob {
  return {
    v: 1,
    records: records.map(({ rid, kind, instance, seq, jws }) => ({
      rid,
      kind,
      instance,
      seq,
      jws,
    })),
  }
}

/**
 * Names a job by what it carries, so that a batch handed in again is the same job. The digest keeps
 * two different batches with the same ends apart.
 */
export function jobId(records: readonly SealedRecord[]): string {
  const [first, last] = [records[0], records.at(-1)]
  const digest = hash('sha256', records.map(({ jws }) => jws).join('\n'), 'hex').slice(0, 16)
  // BullMQ refuses colons in job ids.
  const instance = encodeURIComponent(first?.instance ?? '')
  return `${instance}-${first?.seq}-${last?.seq}-${digest}`
}

/** Reads a job. @throws {Problem} `job-invalid`. */
export function parseJob(data: unknown): readonly SealedRecord[] {
  // Attacker-controlled: whoever can write to Redis writes this.
  const records = isObject(data) && data['v'] === 1 ? data['records'] : undefined
  if (!Array.isArray(records) || records.length > BATCH_RECORDS_MAX) {
    throw new Problem('job-invalid', `expected \`v: 1\` and at most ${BATCH_RECORDS_MAX} records`)
  }
  return records.map((record: unknown, at) => parseSealed(record, at))
}

function parseSealed(value: unknown, at: number): SealedRecord {
  if (isObject(value)) {
    const { rid, kind, instance, seq, jws } = value
    if (
      typeof rid === 'string' &&
      typeof kind === 'string' &&
      typeof instance === 'string' &&
      typeof seq === 'number' &&
      typeof jws === 'string' &&
      jws.length <= RECORD_CHARS_MAX
    ) {
      return { rid, kind: kind as RecordKind, instance, seq, jws }
    }
  }
  throw new Problem('job-invalid', `record ${at} of the job is not a sealed record`)
}

interface Untyped {
  readonly [name: string]: unknown
  readonly rid?: unknown
  readonly kind?: unknown
  readonly instance?: unknown
  readonly seq?: unknown
  readonly jws?: unknown
}

function isObject(value: unknown): value is Untyped {
  return typeof value === 'object' && value !== null
}
