/** Certificate revocation lists (RFC 5280 §5): writing ours, judging by anyone's. Portable. @module */
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { type Der, parseDer, takeContent, takeOid, takeParts, toBuffer, writeDer } from './der.ts'
import { maySignLists } from './x509-extensions.ts'
import type { Issuer } from './x509-issue.ts'
import {
  equalBytes,
  nameText,
  OID,
  parseCertificate,
  SIGNATURE_ALGORITHMS,
} from './x509-profile.ts'
import { isSignedBy } from './x509-signature.ts'

/** A list of some 200,000 entries. */
const LIST_BYTES_MAX = 8_388_608
const CRL_NUMBER = '2.5.29.20'
/** Extensions of a list that do not change its meaning; another critical one refuses the list. */
const KNOWN: ReadonlySet<string> = new Set([OID.authorityKeyId, CRL_NUMBER])

/**
 * Issues a list, complete for the issuer.
 *
 * @param revoked serial number → since when.
 * @param number rises with each list of the issuer.
 */
export async function issueRevocationList(
  { certificateDer, signer }: Issuer,
  revoked: ReadonlyMap<bigint, Date>,
  { at, days, number }: { readonly at: Date; readonly days: number; readonly number: number },
): Promise<Uint8Array> {
  const algorithm = new Uint8Array(
    new pkijs.AlgorithmIdentifier({ algorithmId: signer.algorithm }).toSchema().toBER(),
  )
  const entries = [...revoked].map(([serial, since]) =>
    writeDer(0x30, integer(serial), time(since)),
  )
  const crlNumber = writeDer(
    0x30,
    new Uint8Array(new asn1.ObjectIdentifier({ value: CRL_NUMBER }).toBER()),
    writeDer(0x04, integer(BigInt(number))),
  )
  const list = writeDer(
    0x30,
    integer(1n), // Version 2.
    algorithm,
    new Uint8Array(parseCertificate(certificateDer).subject.valueBeforeDecode),
    time(at),
    time(new Date(at.getTime() + days * 86_400_000)),
    ...(entries.length === 0 ? [] : [writeDer(0x30, ...entries)]), // §5.1.2.6: never empty.
    writeDer(0xa0, writeDer(0x30, crlNumber)),
  )
  const signature = writeDer(0x03, Uint8Array.of(0), await signer.sign(list))
  return writeDer(0x30, list, algorithm, signature)
}

/**
 * What the lists say against a certificate at a time. No list of its issuer for that time is a
 * finding too: silence is not consent.
 */
export async function revocationFindings(
  certificate: pkijs.Certificate,
  issuer: pkijs.Certificate,
  lists: readonly Uint8Array[],
  at: Date,
): Promise<string[]> {
  const name = nameText(certificate.subject)
  const serial = certificate.serialNumber.toBigInt()
  let covered = false
  for (const der of lists) {
    const list = readRevocationList(der) // Attacker-controlled, until the signature holds.
    if (
      list === undefined ||
      !equalBytes(list.issuer, new Uint8Array(issuer.subject.valueBeforeDecode))
    )
      continue
    if (!maySignLists(issuer) || !(await isSigned(list, issuer))) continue
    const entry = list.revoked.get(serial)
    // An older or newer list may also tell: a certificate that was revoked stays revoked.
    if (entry !== undefined && entry <= at)
      return [`\`${name}\` was revoked at ${entry.toISOString()}`]
    covered ||= coversTime(list, certificate, at)
  }
  return covered ? [] : [`no revocation list for \`${name}\` at ${at.toISOString()}`]
}

/** A list made later tells too, as long as it may not have dropped the expired certificate. */
export function coversTime(
  { thisUpdate, nextUpdate }: RevocationList,
  { notAfter }: Pick<pkijs.Certificate, 'notAfter'>,
  at: Date,
): boolean {
  return thisUpdate <= at ? at <= nextUpdate : thisUpdate <= notAfter.value
}

/** Whether a list is by this authority: readable, named and signed by it. */
export async function isListOf(listDer: Uint8Array, issuerDer: Uint8Array): Promise<boolean> {
  const list = readRevocationList(listDer)
  const issuer = parseCertificate(issuerDer)
  if (list === undefined || !maySignLists(issuer)) return false
  const named = equalBytes(list.issuer, new Uint8Array(issuer.subject.valueBeforeDecode))
  return named && (await isSigned(list, issuer))
}

/** The lists by one of these authorities. */
export async function listsBy(
  authorities: readonly Uint8Array[],
  lists: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const own: Uint8Array[] = []
  for (const list of lists) {
    const by = await Promise.all(authorities.map((der) => isListOf(list, der)))
    if (by.includes(true)) own.push(list)
  }
  return own
}

/** A list that was read, not verified. */
export interface RevocationList {
  readonly issuer: Uint8Array
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  /** Serial number → when. */
  readonly revoked: ReadonlyMap<bigint, Date>
  readonly signedBytes: Uint8Array
  readonly algorithm: pkijs.AlgorithmIdentifier
  readonly signature: Uint8Array
}

/** Reads a list; undefined for what is no complete list of its own issuer. */
export function readRevocationList(der: Uint8Array): RevocationList | undefined {
  try {
    if (der.length > LIST_BYTES_MAX) return undefined
    const [tbs, algorithm, signature] = takeParts(parseDer(der), 0x30, 3)
    const parts = takeParts(tbs, 0x30, 5, 7)
    const [version, inner, issuer, thisUpdate, nextUpdate, ...rest] = parts
    const bits = takeContent(signature, 0x03)
    const fits =
      equalBytes(takeContent(version, 0x02), Uint8Array.of(1)) &&
      inner !== undefined &&
      algorithm !== undefined &&
      equalBytes(inner.raw, algorithm.raw) &&
      bits[0] === 0
    const extensions = rest.find(({ tag }) => tag === 0xa0)
    if (!fits || tbs === undefined || issuer === undefined || !understood(extensions))
      return undefined
    const entries = rest.find(({ tag }) => tag === 0x30)
    return {
      issuer: issuer.raw,
      thisUpdate: parseTime(thisUpdate),
      nextUpdate: parseTime(nextUpdate),
      revoked: new Map((entries?.parts ?? []).map(parseEntry)),
      signedBytes: tbs.raw,
      algorithm: pkijs.AlgorithmIdentifier.fromBER(toBuffer(algorithm.raw)),
      signature: bits.subarray(1),
    }
  } catch {
    return undefined // Not DER, or not this structure.
  }
}

/** A critical extension could mean that the list is partial (§5.2.5). */
function understood(extensions: Der | undefined): boolean {
  const all =
    extensions === undefined ? [] : takeParts(takeParts(extensions, 0xa0, 1)[0], 0x30, 1, 16)
  return all.every((extension) => {
    const [id, second] = takeParts(extension, 0x30, 2, 3)
    return second?.tag !== 0x01 || KNOWN.has(takeOid(id))
  })
}

function parseEntry(entry: Der): [bigint, Date] {
  const [serial, at, extensions] = takeParts(entry, 0x30, 2, 3)
  const critical = extensions?.parts.some(({ parts }) => parts[1]?.tag === 0x01) ?? false
  // §5.3.3: certificateIssuer makes the entry one of another issuer.
  if (critical) throw new Error('expected no critical entry extension')
  const content = takeContent(serial, 0x02)
  return [content.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n), parseTime(at)]
}

function isSigned(list: RevocationList, issuer: pkijs.Certificate): Promise<boolean> | false {
  const { signedBytes: bytes, algorithm, signature } = list
  if (!SIGNATURE_ALGORITHMS.has(algorithm.algorithmId)) return false
  return isSignedBy({ key: issuer.subjectPublicKeyInfo, bytes, signature, algorithm })
}

/** RFC 5280 §4.1.2.5: two digits of the year mean 1950 to 2049. */
function parseTime(value: Der | undefined): Date {
  const short = value?.tag === 0x17
  const text = String.fromCharCode(...takeContent(value, short ? 0x17 : 0x18))
  const full = short ? `${text < '50' ? '20' : '19'}${text}` : text
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)
  const [, year, month, day, hour, minute, second] = match ?? []
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(date.getTime())) throw new Error('expected a time')
  return date
}

function time(at: Date): Uint8Array {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '')
  const short = at.getUTCFullYear() < 2050
  return writeDer(short ? 0x17 : 0x18, new TextEncoder().encode(short ? digits.slice(2) : digits))
}

function integer(number: bigint): Uint8Array {
  const value = asn1.Integer.fromBigInt(number)
  return new Uint8Array(value.toBER())
}
