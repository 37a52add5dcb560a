/** What the tests of the recorder share: an identity, an exchange, a log that keeps its contract. @module */
import { expect } from 'chai'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, type Clock } from '../../base/clock.ts'
import { uuidv7 } from '../../base/uuid.ts'
import { randomBytes } from 'node:crypto'
import { derivedSecrets } from '../../evidence/commitment.ts'
import { indexRow, knownRow } from '../../evidence/index/fields.ts'
import type {
  Claim,
  Intent,
  MessageFacts,
  Outcome,
  Persist,
  SealedRecord,
} from '../../evidence/record.ts'
import type { RecorderOptions } from '../../evidence/recorder.ts'
import { FIRST_PREV, readRecord, recordDigest, type SealKey } from '../../evidence/seal.ts'
import { fromShelf } from '../../evidence/shelf.ts'
import { openSealIdentity } from '../../evidence/x509-identity.ts'

/** A folder that goes away after the test. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sealgate-evidence-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

const keys = temporaryFolder()
process.once('exit', keys.remove)
let identity: Promise<SealKey> | undefined

/** One seal identity for all tests of a process: making it takes longer than a test. */
export function testIdentity(): Promise<SealKey> {
  identity ??= openSealIdentity(keys.path, {
    organization: 'Test',
    instance: 'test',
    clock: systemClock,
  })
  return identity
}

export const COMMITMENT_KEY = Buffer.alloc(32, 7)
export const ORIGIN = {
  org: 'Test Bureau',
  role: 'bureau',
  build: `sha256:${'0'.repeat(64)}`,
  config: `sha256:${'1'.repeat(64)}`,
}

export function recorderOptions(folder: string, persist: Persist): RecorderOptions {
  return {
    folder,
    identity: testIdentity,
    secrets: derivedSecrets(COMMITMENT_KEY),
    origin: ORIGIN,
    persist: fromShelf(persist),
    clock: systemClock,
    alarm: () => undefined,
  }
}

/** The machine's clocks, moved on together, or the wall clock alone. */
export function settableClock() {
  let wall = 0n
  let both = 0n
  const clock: Clock = {
    wallUs: () => systemClock.wallUs() + wall + both,
    monotonicNs: () => systemClock.monotonicNs() + 1000n * both,
  }
  const advance = (us: bigint) => {
    both += us
  }
  const jump = (us: bigint) => {
    wall += us
  }
  return { ...clock, advance, jump }
}

export const newRid = () => uuidv7(Date.now(), randomBytes(10))

export function intentOf(
  rid: string,
  claims: readonly Claim[] = [],
): Intent & { readonly request: MessageFacts } {
  return {
    rid,
    receivedUs: 1_700_000_000_123_456n,
    caller: { id: 'sunrise-platform', auth: 'jwt', key: 'kid-1' },
    recipient: 'harbour-bank',
    route: 'POST /credit/applications',
    policy: { id: 'credit-application', version: 3, digest: `sha256:${'a'.repeat(64)}` },
    purpose: 'credit-assessment',
    legal: { basis: 'separate-consent' },
    links: { application: 'AAAA' },
    request: {
      method: 'POST',
      mediaType: 'application/json',
      length: 10,
      forwardedLength: 8,
      manifest: [{ rule: 'R1', path: '$.amount', action: 'keep', count: 1 }],
      unnamed: 0,
      claims,
    },
  }
}

export const ANSWERED: Outcome = {
  result: 'answered',
  status: 200,
  recipientStatus: 200,
  sentUs: 1_700_000_000_200_000n,
  responseReceivedUs: 1_700_000_000_300_000n,
  answeredUs: 1_700_000_000_400_000n,
}

/**
 * A log in memory that asserts what the recorder promises: the same record is never handed over
 * with other bytes, batches are in order and without holes, and what is said to be known of a record is
 * what it says.
 */
export class TestLog {
  readonly records = new Map<number, SealedRecord>()
  failures = 0
  /** Records of which the log need not read the JWS. */
  known = 0
  readonly persist: Persist = async (records) => {
    await Promise.resolve()
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('the log is down')
    }
    for (const { rid, kind, instance, seq, jws, known } of records) {
      const before = this.records.get(seq)
      if (before !== undefined) expect(jws, 'sealed once').to.equal(before.jws)
      else expect(seq, 'no hole').to.equal(this.records.size + 1)
      const record = { rid, kind, instance, seq, jws }
      this.records.set(seq, record)
      if (known === undefined) continue
      this.known += 1
      const { prev: _, ...row } = indexRow(jws, 0)
      expect(knownRow(record, known), 'known as sealed').to.deep.equal(row)
    }
  }
  rids(): string[] {
    return this.payloads().map(({ rid }) => rid)
  }
  /** Of all records but those that announce a key. */
  payloads() {
    return this.all().filter(({ kind }) => kind !== 'key')
  }
  all() {
    return [...this.records.values()].map(({ jws }) => readRecord(jws).payload)
  }
  /** Asserts that the chain of all records is whole. */
  check(): void {
    let prev = FIRST_PREV
    let seq = 0
    for (const { jws } of this.records.values()) {
      const { payload } = readRecord(jws)
      expect(payload.seq).to.equal(++seq)
      expect(payload.prev).to.equal(prev)
      prev = recordDigest(jws)
    }
    expect(new Set(this.rids()).size, 'one record per exchange').to.equal(this.rids().length)
  }
}
