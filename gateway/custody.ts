/** Custody as the configuration wants it: whose key, and where the ciphertext lies. @module */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWK } from 'jose'
import { type Custody, createCustody } from '../evidence/custody/custody.ts'
import { type CustodyStore, folderStore } from '../evidence/custody/store.ts'
import type { Config } from './config.ts'

/** An open custody. */
export interface OpenCustody {
  readonly custody: Custody
  readonly store: CustodyStore
}

/** Opens custody; undefined when no custodian is configured. @throws {Problem} `key-unusable`. */
export async function openCustody({ data, custody }: Config): Promise<OpenCustody | undefined> {
  if (custody === undefined) return undefined
  const store = folderStore(join(data, 'custody'))
  const custodian = JSON.parse(readFileSync(custody.custodian, 'utf8')) as JWK
  return { store, custody: await createCustody(store, custodian) }
}

/** The last day (`YYYY-MM-DD`, UTC) of a policy's `retain` from a time on. @param retain `5y`, `18m`, `400d`. */
export function retainUntil(fromUs: bigint, retain: string): string {
  const day = new Date(Number(fromUs / 1000n))
  const count = Number.parseInt(retain, 10)
  if (retain.endsWith('y')) day.setUTCFullYear(day.getUTCFullYear() + count)
  else if (retain.endsWith('m')) day.setUTCMonth(day.getUTCMonth() + count)
  else day.setUTCDate(day.getUTCDate() + count)
  return day.toISOString().slice(0, 10)
}
