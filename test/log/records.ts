/** Sealed records for the log's tests, in the form of evidence/payload.ts; the data are synthetic. @module */
import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { toBase64url } from '../../base/base64url.ts'
import { FIRST_PREV, recordDigest } from '../../evidence/seal.ts'
import { toTimestamp } from '../../base/clock.ts'
import { uuidv7 } from '../../base/uuid.ts'
import type { SealedRecord } from '../../evidence/record.ts'

/** 2026-11-01, in milliseconds. */
export const START_MS = 1_793_491_200_000

/** Makes the records of one instance, one after the other. */
export interface RecordMaker {
  readonly instance: string
  next(fields?: Readonly<Record<string, unknown>>): SealedRecord
  many(count: number): SealedRecord[]
}

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** @param seed makes ids repeatable and different between instances. */
export function recordMaker(seed: number): RecordMaker {
  const instance = uuidv7(START_MS, bytes(seed, 0))
  let [seq, prev] = [0, FIRST_PREV]
  const next: RecordMaker['next'] = (fields = {}) => {
    seq += 1
    const rid = uuidv7(START_MS + seq, bytes(seed, seq))
    const receivedUs = BigInt(START_MS + seq) * 1000n
    const payload = {
      ...{ v: 1, kind: 'exchange', rid, instance, seq, prev },
      caller: { id: 'sunrise-platform', auth: 'jwt', key: 'k1' },
      recipient: 'harbour-bank',
      route: 'POST /credit/applications',
      policy: { id: 'credit-application', version: 3, digest: `sha256:${'0'.repeat(64)}` },
      links: { application: `app-${seq % 10}`, borrower: `borrower-${seed}` },
      times: { received: toTimestamp(receivedUs) },
      ...{ _sd: [], _sd_alg: 'sha-256' },
      ...fields,
    }
    const header = `{"alg":"ES256","iat":${Math.floor(START_MS / 1000)},"typ":"evr+jwt","x5t#S256":"${'A'.repeat(43)}"}`
    const input = `${toBase64url(header)}.${toBase64url(JSON.stringify(payload))}`
    const key = { key: KEYS.privateKey, dsaEncoding: 'ieee-p1363' } as const
    const jws = `${input}.${toBase64url(sign('sha256', Buffer.from(input), key))}`
    prev = recordDigest(jws)
    return { rid: payload.rid, kind: payload.kind as SealedRecord['kind'], instance, seq, jws }
  }
  return { instance, next, many: (count) => Array.from({ length: count }, () => next()) }
}

function bytes(seed: number, seq: number): Buffer {
  return hash('sha256', `${seed}/${seq}`, 'buffer').subarray(0, 10)
}
