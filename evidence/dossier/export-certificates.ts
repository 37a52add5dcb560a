/** The certificates that a dossier needs: seal chains, roots of time stamps, revocation lists. @module */
import { Problem } from '../../base/problem.ts'
import type { ExportPorts } from '../export.ts'
import type { Store } from '../log/store.ts'
import { readRecord } from '../seal.ts'
import { REVOCATION_KEYS } from '../timestamp/stamps.ts'
import { verifyTimestampResponse } from '../timestamp/verify.ts'
import { parseCertificate } from '../x509-profile.ts'
import {
  coversTime,
  isListOf,
  listsBy,
  readRevocationList,
  type RevocationList,
} from '../x509-revocation.ts'
import type { Stamp } from './export-log.ts'
import { hexDigest, type Parts, type RecordText } from './parts.ts'

/**
 * Gathers them, each once.
 *
 * @throws {Problem} `request-malformed` when the certificate of a record was not kept.
 */
export async function gatherCertificates(
  {
    logs,
    chainOf,
    timestampRoots,
    revocationLists,
  }: ExportPorts & { revocationLists: readonly Uint8Array[] },
  records: readonly RecordText[],
  stamps: readonly Stamp[],
): Promise<Pick<Parts, 'certificates' | 'roots' | 'revocation'>> {
  const seals = new Set(records.map(({ text }) => readRecord(text).header['x5t#S256']))
  const chains = [...seals].map((thumbprint) => {
    const chain = chainOf(thumbprint)
    if (chain === undefined) throw new Problem('request-malformed', `certificate ${thumbprint} is not at hand`) // prettier-ignore
    return chain
  })
  const certificates = unique(chains.flat())
  const roots: Uint8Array[] = []
  const links: Link[] = []
  for (const { checkpoint, response } of stamps) {
    const trust = { roots: timestampRoots }
    const { chain, info } = await verifyTimestampResponse(response, Buffer.from(checkpoint), trust)
    roots.push(...chain.slice(-1))
    if (info !== undefined) links.push(...linksOf(chain, info.time))
  }
  const authorities = unique(chains.flatMap((chain) => chain.slice(1)))
  const revocation = await listsBy(authorities, revocationLists)
  for (const { store } of logs) revocation.push(...(await listsFor(store, links)))
  return { certificates, roots: unique(roots), revocation: unique(revocation) }
}

/** A certificate of a time stamp's path, who issued it, and when it was used. */
interface Link {
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
  readonly at: Date
}

function linksOf(chain: readonly Uint8Array[], at: Date): Link[] {
  return chain.slice(1).map((issuer, below) => ({ subject: chain[below] ?? issuer, issuer, at }))
}

/** Of the lists that were kept with the stamps: for each link the newest of its time, by which it was judged, and the newest of all. */
async function listsFor(store: Store, links: readonly Link[]): Promise<Uint8Array[]> {
  const best = new Map<string, { readonly der: Uint8Array; readonly list: RevocationList }>()
  for (const key of links.length === 0 ? [] : await store.list(REVOCATION_KEYS)) {
    const der = (await store.get(key)) ?? new Uint8Array()
    const list = readRevocationList(der)
    if (list === undefined) continue
    const issuers = unique(links.map(({ issuer }) => issuer))
    const by = await Promise.all(issuers.map((issuer) => isListOf(der, issuer)))
    const authors = new Set(issuers.filter((_, at) => by[at]).map(hexDigest))
    for (const { subject, issuer, at } of links) {
      if (!authors.has(hexDigest(issuer))) continue
      const link = `${hexDigest(subject)} ${at.getTime()}`
      const current = list.thisUpdate <= at && at <= list.nextUpdate
      const telling = coversTime(list, parseCertificate(subject), at)
      for (const slot of [...(current ? ['then'] : []), ...(telling ? ['newest'] : [])]) {
        const before = best.get(`${slot} ${link}`)
        if (before === undefined || before.list.thisUpdate < list.thisUpdate) best.set(`${slot} ${link}`, { der, list }) // prettier-ignore
      }
    }
  }
  return [...best.values()].map(({ der }) => der)
}

function unique(ders: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ders.map((der) => [hexDigest(der), der])).values()]
}
