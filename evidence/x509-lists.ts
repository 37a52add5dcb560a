/** The revocation lists of the key folder: what a dossier carries about its certificates. @module */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, toDate } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { readPem, toPem } from './pem.ts'
import { toIssuer } from './x509-issue.ts'
import { issueRevocationList, readRevocationList } from './x509-revocation.ts'
import { writeFileDurably } from './durable.ts'
import { readBundle } from './x509-store.ts'

/** Who issues lists here, and for how many days one list speaks. */
const LIST_DAYS = { root: 365, issuing: 7 } as const
type Authority = keyof typeof LIST_DAYS
const DAY_MS = 86_400_000
const LABEL = 'X509 CRL'

/**
 * Opens all lists in the folder (`*.crl.pem`), after issuing those that are missing or past half of
 * their life, as far as the authority's key is here.
 *
 * @returns DER, for `revocationLists` of a verifier.
 * @throws {Problem} `key-unusable` when a file cannot be used.
 */
export async function openRevocationLists(folder: string, clock: Clock): Promise<Uint8Array[]> {
  const at = toDate(clock.wallUs())
  for (const authority of Object.keys(LIST_DAYS) as Authority[]) {
    const list = await readStored(folder, authority)
    const halfway = at.getTime() + (LIST_DAYS[authority] * DAY_MS) / 2
    if (list === undefined || list.nextUpdate.getTime() < halfway) {
      await issueList(folder, authority, list?.revoked ?? new Map(), at)
    }
  }
  const names = (await readdir(folder)).filter((name) => name.endsWith('.crl.pem')).sort()
  const texts = names.map((name) => readFile(join(folder, name), 'utf8'))
  return (await Promise.all(texts)).flatMap((text) => readPem(text, LABEL))
}

/**
 * Revokes a certificate that an authority of this folder issued, from now on and for good.
 *
 * @param serial lower-case hex.
 * @throws {Problem} `key-unusable` when the authority's key is not here.
 */
export async function revokeCertificate(
  folder: string,
  authority: Authority,
  serial: string,
  clock: Clock,
): Promise<void> {
  if (!/^[0-9a-f]{1,40}$/.test(serial)) {
    throw new Problem('key-unusable', 'expected a serial number in lower-case hex')
  }
  const at = toDate(clock.wallUs())
  const revoked = new Map((await readStored(folder, authority))?.revoked)
  const number = BigInt(`0x${serial}`)
  if (revoked.has(number)) return // The first time counts.
  revoked.set(number, at)
  if (!(await issueList(folder, authority, revoked, at))) {
    throw new Problem(
      'key-unusable',
      `${join(folder, authority)}.pem: needed to revoke, and not there`,
    )
  }
}

async function readStored(folder: string, authority: Authority) {
  const path = listPath(folder, authority)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Problem('key-unusable', `${path}: cannot be read`, { cause: error })
  })
  if (text === undefined) return undefined
  const [der] = readPem(text, LABEL)
  const list = der === undefined ? undefined : readRevocationList(der)
  // To start afresh would silently forget who was revoked.
  if (list === undefined) throw new Problem('key-unusable', `${path}: expected a revocation list`)
  return list
}

/** @returns false when the authority's key is not here. */
async function issueList(
  folder: string,
  authority: Authority,
  revoked: ReadonlyMap<bigint, Date>,
  at: Date,
): Promise<boolean> {
  const bundle = await readBundle(join(folder, `${authority}.pem`))
  if (bundle === undefined) return false
  const days = LIST_DAYS[authority]
  // Milliseconds rise with each list, and need no file of their own.
  const list = await issueRevocationList(toIssuer(bundle), revoked, {
    at,
    days,
    number: at.getTime(),
  })
  await writeFileDurably(listPath(folder, authority), toPem(LABEL, list), 0o644, 'replace')
  return true
}

function listPath(folder: string, authority: Authority): string {
  return join(folder, `${authority}.crl.pem`)
}
