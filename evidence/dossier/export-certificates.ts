/** The certificates that a dossier needs: seal chains, roots of time stamps, revocation lists. @module */
import { Problem } from '../../base/problem.ts'
import type { ExportPorts } from '../export.ts'
import { readRecord } from '../seal.ts'
import { verifyTimestampResponse } from '../timestamp/verify.ts'
import { isListOf } from '../x509-revocation.ts'
import type { Stamp } from './export-log.ts'
import { hexDigest, type Parts, type RecordText } from './parts.ts'

/**
 * Gathers them, each once.
 *
 * @throws {Problem} `request-malformed` when the certificate of a record was not kept.
 */
export async function gatherCertificates(
  {
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
  for (const { checkpoint, response } of stamps) {
    const trust = { roots: timestampRoots }
    const { chain } = await verifyTimestampResponse(response, Buffer.from(checkpoint), trust)
    roots.push(...chain.slice(-1))
  }
  const revocation: Uint8Array[] = []
  const authorities = unique(chains.flatMap((chain) => chain.slice(1)))
  for (const list of revocationLists) {
    const by = await Promise.all(authorities.map((der) => isListOf(list, der)))
    if (by.includes(true)) revocation.push(list)
  }
  return { certificates, roots: unique(roots), revocation: unique(revocation) }
}

function unique(ders: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ders.map((der) => [hexDigest(der), der])).values()]
}
