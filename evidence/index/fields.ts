/** Reads from a record's payload what the index holds. @module */
import { Problem } from '../../base/problem.ts'
import type { RecordKind, SealedRecord } from '../record.ts'
import { readRecord, recordDigest } from '../seal.ts'
import type { IndexRow } from './index.ts'

const RID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const KIND = /^[a-z]{1,16}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const DIGEST = /^[A-Za-z0-9_-]{43}$/
/** UTF-16 units of a name (instance, party, route, policy, link). */
const NAME_LENGTH_MAX = 256

type JsonObject = Readonly<Record<string, unknown>>

/**
 * Makes the index row of a record. The signature is not verified here: `verify` and `fsck` do that,
 * and a forged record can only be found, not believed.
 *
 * @throws {Problem} `job-invalid` when the JWS or a field of its payload cannot be read.
 */
export function indexRow(jws: string, position: number): IndexRow & { readonly prev: string } {
  // Attacker-controlled: whoever can write to the queue writes this.
  const { payload } = readRecord(jws)
  const policy = payload['policy']
  return {
    position,
    digest: recordDigest(jws),
    rid: text(payload, 'rid', RID),
    kind: text(payload, 'kind', KIND) as RecordKind,
    instance: text(payload, 'instance'),
    seq: whole(payload, 'seq'),
    prev: text(payload, 'prev', DIGEST),
    receivedUs: toMicroseconds(text(object(payload, 'times'), 'received', TIME)),
    links: readLinks(payload),
    ...(payload['caller'] === undefined ? {} : { caller: text(object(payload, 'caller'), 'id') }),
    ...(payload['recipient'] === undefined ? {} : { recipient: text(payload, 'recipient') }),
    ...(payload['route'] === undefined ? {} : { route: text(payload, 'route') }),
    ...(policy === undefined ? {} : { policy: policyName(object(payload, 'policy')) }),
  }
}

/**
 * Makes the row of a record whose facts are known, as `indexRow` would read it.
 *
 * @throws {Problem} `job-invalid` for a name that no record may have.
 */
export function knownRow(
  { rid, kind, instance, seq }: SealedRecord,
  known: NonNullable<SealedRecord['known']>,
): IndexRow {
  const { caller, recipient, route, policy, links } = known
  checkNames({ caller, recipient, route, policy })
  checkNames(links)
  return { position: 0, rid, kind, instance, seq, ...known }
}

/** Date.parse keeps milliseconds; the three digits after them stand at the end of the text. */
function toMicroseconds(time: string): number {
  const milliseconds = Date.parse(time)
  if (Number.isNaN(milliseconds)) throw new Problem('job-invalid', '`received` is not a time')
  return milliseconds * 1000 + Number(time.slice(-4, -1))
}

function policyName(policy: JsonObject): string {
  return `${text(policy, 'id')}@${whole(policy, 'version')}`
}

function readLinks(payload: JsonObject): Record<string, string> {
  if (payload['links'] === undefined) return {}
  const links = object(payload, 'links')
  return Object.fromEntries(Object.keys(links).map((name) => [name, text(links, name)]))
}

function checkNames(names: JsonObject): void {
  for (const name of Object.keys(names)) if (names[name] !== undefined) text(names, name)
}

function text(holder: JsonObject, name: string, form?: RegExp): string {
  const value = holder[name]
  const fits = typeof value === 'string' && value.length <= NAME_LENGTH_MAX
  if (fits && value !== '' && form?.test(value) !== false) return value
  throw new Problem('job-invalid', `\`${name}\` is not the text that a record has there`)
}

function whole(holder: JsonObject, name: string): number {
  const value = holder[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Problem('job-invalid', `\`${name}\` is not a whole number`)
}

function object(holder: JsonObject, name: string): JsonObject {
  const value = holder[name]
  if (isObject(value)) return value
  throw new Problem('job-invalid', `\`${name}\` is not an object`)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
