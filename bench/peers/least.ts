/**
 * What no relay of this kind can leave out, and nothing besides: bytes pass untouched, and the proofs
 * and writes that the contracts ask for are made over them. `least.ts TARGET FOLDER [PART,…]` @module
 */
import { generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { systemClock } from '../../base/clock.ts'
import { createHmac } from '../../base/hmac.ts'
import type { EntryType } from '../../evidence/journal/entry.ts'
import { nodeFiles } from '../../evidence/journal/files.ts'
import { openJournal } from '../../evidence/journal/journal.ts'
import { createDirectLeg } from '../../gateway/http/direct-leg.ts'
import { RELAY_LIMITS } from '../../gateway/http/limits.ts'
import { answerJson, listenAndSay } from './listen.ts'

/** Bytes that the benchmark's exchange leaves: its intent, and its outcome with the seal of another. */
const ENTRY_BYTES = [1_500, 3_500] as const
/** Commitments of the benchmark's exchange: a salt and a digest each. */
const CLAIMS = 16

const [target = '', folder = '', named = ''] = process.argv.slice(2)
const parts = named.split(',')
const base = new URL(target)
const leg = createDirectLeg(systemClock, RELAY_LIMITS)
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const es256 = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' }) as const
const token = Buffer.alloc(300, 'a')
const proof = sign('sha256', token, es256(ec.privateKey))
const hmac = createHmac('sha256', Buffer.alloc(32, 1))
const journal = await (
  await openJournal(nodeFiles(folder))
).start(
  () => ({ type: 'mark', payload: '{}' }),
  (problem) => {
    throw problem
  },
)

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.once('end', () => void relay(Buffer.concat(chunks)))
  const relay = async (body: Buffer) => {
    const path = (request.url ?? '').replace('/harbour-bank', '')
    if (parts.includes('jwt')) proveByKeys(body)
    if (parts.includes('secrets')) proveBySecrets(body)
    if (parts.includes('durable')) await keep('intent', ENTRY_BYTES[0])
    const headers = { host: base.host, 'content-type': 'application/json', 'content-length': `${body.length}` } // prettier-ignore
    const message = { method: 'POST', path, headers, body }
    const answer = await leg.send(base, message, () => {})
    if (parts.includes('durable')) await keep('outcome', ENTRY_BYTES[1])
    answerJson(response, answer.body)
    if (parts.includes('seal')) seal(body)
  }
})
listenAndSay(server)

/** The caller's JWT, the signature for the recipient. */
function proveByKeys(body: Buffer): void {
  if (!verify('sha256', token, es256(ec.publicKey), proof)) throw new Error('the proof fails')
  sign(null, Buffer.from(hash('sha256', body, 'base64')), ed.privateKey)
}

/** The same with shared secrets; the caller's covers a digest of the body. */
function proveBySecrets(body: Buffer): void {
  for (const _ of ['in', 'out']) hmac(hash('sha256', body, 'base64'), 'base64url')
}

/** The claims' commitments, and one record's signature. */
function seal(body: Buffer): void {
  let text = hash('sha256', body, 'base64url')
  for (let count = 0; count < CLAIMS; count++)
    text = hash('sha256', `["${hmac(text, 'base64url')}","claim","value"]`, 'base64url')
  sign('sha256', Buffer.alloc(ENTRY_BYTES[0], text), es256(ec.privateKey))
}

function keep(type: EntryType, bytes: number): Promise<void> {
  return new Promise((resolve, reject) =>
    journal.append({ type, payload: 'x'.repeat(bytes) }, (problem) =>
      problem === undefined ? resolve() : reject(problem),
    ),
  )
}
