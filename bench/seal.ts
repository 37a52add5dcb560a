/** What evidence costs per exchange: from `intend` to a sealed, durable record, by number of callers. @module */
import { X509Certificate, randomBytes, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { uuidv7 } from '../base/uuid.ts'
import { derivedSecrets, openClaim } from '../evidence/commitment.ts'
import type { Claim, Intent, MessageFacts, Outcome } from '../evidence/record.ts'
import { openRecorder } from '../evidence/recorder.ts'
import { readRecord, recordDigest, type SealKey } from '../evidence/seal.ts'
import { readShelved } from '../evidence/shelf.ts'
import { openSealIdentity } from '../evidence/x509-identity.ts'

const SECONDS = 1
const FIELDS = 8
const digest = `sha256:${'0'.repeat(64)}`
const secrets = derivedSecrets(randomBytes(32))
const claims: Claim[] = Array.from({ length: FIELDS }, (_, index) => ({
  name: `f:$.applicant.field${index}`,
  json: `"value ${index}"`,
}))
const message: MessageFacts = {
  mediaType: 'application/json',
  length: 1024,
  forwardedLength: 900,
  unnamed: 0,
  claims,
  manifest: claims.map(({ name }, index) => ({
    rule: `R${index}`,
    path: name.slice(2),
    action: 'tokenize',
    kind: 'mobile',
    class: 'C2',
    count: 1,
  })),
}
const receivedUs = systemClock.wallUs()
const intentOf = (rid: string): Intent => ({
  rid,
  receivedUs,
  caller: { id: 'sunrise-platform', auth: 'jwt', key: 'kid-1' },
  recipient: 'harbour-bank',
  route: 'POST /credit/applications',
  policy: { id: 'credit-application', version: 3, digest },
  purpose: 'credit-assessment',
  legal: { basis: 'separate-consent' },
  links: { application: 'lnk_'.padEnd(40, 'a') },
  request: message,
})
const OUTCOME: Outcome = {
  result: 'answered',
  status: 200,
  recipientStatus: 200,
  sentUs: receivedUs,
  responseReceivedUs: receivedUs,
  answeredUs: receivedUs,
  response: { ...message, claims: [], manifest: [] },
}

async function measure(folder: string, key: SealKey, callers: number) {
  const records: string[] = []
  const recorder = await openRecorder({
    folder,
    identity: async () => key,
    secrets,
    origin: { org: 'Bench', role: 'bureau', build: digest, config: digest },
    persist: async (batch) => void records.push(...batch.map((each) => readShelved(each).jws)),
    clock: systemClock,
    alarm: (text, error) => console.error(text, error),
  })
  const cpu = process.cpuUsage()
  const started = performance.now()
  const exchanges = async () => {
    while (performance.now() < started + 1000 * SECONDS) {
      const rid = uuidv7(Date.now(), randomBytes(10))
      await recorder.intend(intentOf(rid))
      await recorder.conclude(rid, OUTCOME)
    }
  }
  await Promise.all(Array.from({ length: callers }, exchanges))
  await recorder.idle()
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - started) / 1000
  await recorder.close()
  check(records, key)
  return {
    callers,
    'records/s': Math.round(records.length / seconds),
    'CPU µs/record': Number(((user + system) / records.length).toFixed(1)),
    'bytes/record': Math.round(records.join('').length / records.length),
  }
}

/** @throws when a seal, a link of the chain or a commitment does not verify. */
function check(records: readonly string[], { certificateDer }: SealKey): void {
  const { publicKey } = new X509Certificate(certificateDer)
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  let prev = ''
  for (const [index, jws] of records.entries()) {
    const { payload, signature, signingInput } = readRecord(jws)
    const linked = index === 0 || payload.prev === prev
    prev = recordDigest(jws)
    if (!linked || payload.seq !== index + 1) throw new Error(`the chain breaks at ${index}`)
    if (index % 50 > 1) continue
    const sealed = verify('sha256', Buffer.from(signingInput), key, signature)
    const secret = secrets.secretOf(payload.rid)
    const opens = claims.every(({ name, json }) => openClaim(secret, payload._sd, name, json))
    if (!sealed || !(opens || payload.kind === 'key')) throw new Error(`record ${index} is not valid`) // prettier-ignore
  }
}

const rows = []
const folder = mkdtempSync(join(process.cwd(), '.bench-seal-')) // Not /tmp: it may be memory.
try {
  const names = { organization: 'Bench', instance: 'bench', clock: systemClock }
  const key = await openSealIdentity(folder, names)
  await measure(join(folder, 'warm-up'), key, 64)
  for (const callers of [1, 16, 64, 256]) {
    rows.push(await measure(join(folder, String(callers)), key, callers))
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.table(rows)
