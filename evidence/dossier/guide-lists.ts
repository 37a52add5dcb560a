/** When a path can be checked against revocation lists by openssl, which knows one time for both. Portable. @module */
import type * as pkijs from 'pkijs'
import { Problem } from '../../base/problem.ts'
import { equalBytes, parseCertificate } from '../x509-profile.ts'
import { readRevocationList, type RevocationList } from '../x509-revocation.ts'

/** Certificates of one path at most; names could lead in a circle. */
const PATH_MAX = 5

/**
 * The first second, at or after `atS`, at which each certificate of the path is valid and has a list
 * that is in force. Openssl takes a revoked certificate for revoked at any time: then there is none.
 *
 * @param pool what may stand above the leaf, the root too.
 */
export function listedSecond(
  leaf: Uint8Array,
  pool: readonly Uint8Array[],
  lists: readonly Uint8Array[],
  atS: number,
): number | undefined {
  try {
    const links = linksOf(parseCertificate(leaf), pool.map(parseCertificate))
    const read = lists.flatMap((der) => readRevocationList(der) ?? [])
    const starts = read.map(({ thisUpdate }) => Math.ceil(thisUpdate.getTime() / 1000))
    const times = [atS, ...starts.filter((start) => start > atS)].toSorted((a, b) => a - b)
    return times.find((time) => links.every((link) => isClear(link, read, new Date(time * 1000))))
  } catch (error) {
    if (error instanceof Problem) return undefined // No certificate: other lines fail.
    throw error
  }
}

/** Whether a list names one of these as its issuer. */
export function isNamedBy(listDer: Uint8Array, authorities: readonly Uint8Array[]): boolean {
  const list = readRevocationList(listDer)
  if (list === undefined) return false
  try {
    return authorities.some((der) => equalBytes(list.issuer, nameOf(parseCertificate(der).subject)))
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

/** The certificates from the leaf to the root, by their names. */
function linksOf(leaf: pkijs.Certificate, pool: readonly pkijs.Certificate[]): pkijs.Certificate[] {
  const path = [leaf]
  for (let top = leaf; path.length < PATH_MAX;) {
    const wanted = nameOf(top.issuer)
    if (equalBytes(wanted, nameOf(top.subject))) return path
    const issuer = pool.find((each) => equalBytes(nameOf(each.subject), wanted))
    if (issuer === undefined) break
    path.push(issuer)
    top = issuer
  }
  throw new Problem('request-malformed', 'the path has no root')
}

function isClear(
  { issuer, serialNumber, notBefore, notAfter }: pkijs.Certificate,
  lists: readonly RevocationList[],
  at: Date,
): boolean {
  const own = lists.filter((list) => equalBytes(list.issuer, nameOf(issuer)))
  const serial = serialNumber.toBigInt()
  return (
    notBefore.value <= at &&
    at <= notAfter.value &&
    own.some(({ thisUpdate, nextUpdate }) => thisUpdate <= at && at <= nextUpdate) &&
    !own.some(({ revoked }) => revoked.has(serial))
  )
}

function nameOf(name: pkijs.RelativeDistinguishedNames): Uint8Array {
  return new Uint8Array(name.valueBeforeDecode)
}
