/**
 * Path validation (RFC 5280 §6) for the profile of our own certificates and of outside time
 * stamping authorities. WebCrypto only, so that the browser runs the same code. @module
 */
import type * as pkijs from 'pkijs'
import { Problem } from '../base/problem.ts'
import { authorityFindings, keyIds, leafFindings, type Purpose } from './x509-extensions.ts'
import { revocationFindings } from './x509-revocation.ts'
import {
  CERTIFICATES_MAX,
  equalBytes,
  isDevelopment,
  nameText,
  parseCertificate,
  SIGNATURE_ALGORITHMS,
} from './x509-profile.ts'
import { isSignedBy } from './x509-signature.ts'

/** Authorities in a path: a seal has issuing and root; an outside TSA may have one to three. */
const AUTHORITIES_MAX = 3
/** Signature checks for one path search: certificates of equal name must not multiply the work. */
const LINKS_MAX = 24

/** One question: does this leaf serve this purpose at this time under these roots? */
export interface ChainQuestion {
  readonly leafDer: Uint8Array
  readonly intermediates: readonly Uint8Array[]
  readonly roots: readonly Uint8Array[]
  /** When the leaf was used, by trusted time; not when it is verified. */
  readonly at: Date
  readonly purpose: Purpose
  /**
   * Revocation lists, DER. When given, each certificate below the root needs one of its issuer that
   * covers the time; when not, revocation is not looked at.
   */
  readonly revocationLists?: readonly Uint8Array[]
}

/** The answer. `valid` exactly when there are no `reasons`. */
export interface ChainResult {
  readonly valid: boolean
  /** Lower-case, one line each; in the order of the path, leaf first. */
  readonly reasons: readonly string[]
  /** Leaf to root, DER; the part that was found when not valid. */
  readonly chain: readonly Uint8Array[]
  /** A self-made authority stands in the path: 非依法设立的电子认证服务提供者签发. */
  readonly development: boolean
}

interface Node {
  readonly der: Uint8Array
  readonly parsed: pkijs.Certificate
}

/** Finds and checks one path. Never throws on hostile certificates: they become reasons. */
export async function verifyChain(question: ChainQuestion): Promise<ChainResult> {
  try {
    // Attacker-controlled: the leaf and the intermediates; only the roots are trusted.
    const leaf = toNode(question.leafDer)
    const roots = question.roots.map(toNode)
    if (question.intermediates.length + roots.length > CERTIFICATES_MAX) {
      return answer([leaf], [`more than ${CERTIFICATES_MAX} certificates`])
    }
    const search: Search = {
      roots,
      candidates: [...roots, ...question.intermediates.map(toNode)],
      at: question.at,
      revocationLists: question.revocationLists,
      linksLeft: LINKS_MAX,
    }
    const reasons = [
      ...nodeFindings(leaf, question.at),
      ...leafFindings(leaf.parsed, question.purpose),
    ]
    const found = await climb(search, [leaf])
    const shape =
      question.purpose === 'seal' && found.reasons.length === 0 && found.path.length !== 3
        ? ['expected the path seal, issuing authority, root']
        : []
    return answer(found.path, [...reasons, ...found.reasons, ...shape])
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return answer([], [error.message])
  }
}

interface Search {
  readonly roots: readonly Node[]
  readonly candidates: readonly Node[]
  readonly at: Date
  readonly revocationLists: readonly Uint8Array[] | undefined
  linksLeft: number
}

interface Found {
  readonly path: readonly Node[]
  readonly reasons: readonly string[]
}

/** Depth first: the first path without findings wins, else the first path with findings. */
async function climb(search: Search, path: readonly [Node, ...Node[]]): Promise<Found> {
  const top = path.at(-1) ?? path[0]
  if (search.roots.some((root) => equalBytes(root.der, top.der))) return { path, reasons: [] }
  if (path.length > AUTHORITIES_MAX) {
    return { path, reasons: [`no trusted root within ${AUTHORITIES_MAX} authorities`] }
  }
  let worst: Found | undefined
  for (const issuer of search.candidates) {
    if (!names(issuer, top) || path.includes(issuer)) continue
    if (search.linksLeft-- <= 0) return { path, reasons: ['too many candidate issuers'] }
    const link = await linkFindings(search, issuer, top, path.length - 1)
    const rest = await climb(search, [...path, issuer])
    const found = { path: rest.path, reasons: [...link, ...rest.reasons] }
    if (found.reasons.length === 0) return found
    worst ??= found
  }
  return worst ?? { path, reasons: [`no issuer found for \`${nameText(top.parsed.subject)}\``] }
}

/** RFC 5280 §6.1.3(a)(4) and §4.2.1.1: names chain, and key identifiers where both are given. */
function names(issuer: Node, subject: Node): boolean {
  const sameName = equalBytes(
    new Uint8Array(issuer.parsed.subject.valueBeforeDecode),
    new Uint8Array(subject.parsed.issuer.valueBeforeDecode),
  )
  const own = keyIds(issuer.parsed).subject
  const wanted = keyIds(subject.parsed).authority
  return sameName && (own === undefined || wanted === undefined || equalBytes(own, wanted))
}

/** @param below how many authorities stand between the issuer and the leaf. */
async function linkFindings(
  { at, revocationLists }: Search,
  issuer: Node,
  subject: Node,
  below: number,
): Promise<string[]> {
  return [
    ...((await signedBy(subject.parsed, issuer.parsed))
      ? []
      : [`\`${nameText(subject.parsed.subject)}\` is not signed by its issuer`]),
    ...(revocationLists === undefined
      ? []
      : await revocationFindings(subject.parsed, issuer.parsed, revocationLists, at)),
    ...nodeFindings(issuer, at),
    ...authorityFindings(issuer.parsed, below),
  ]
}

/** RFC 5280 §6.1.3(a)(2) and the algorithm table. */
function nodeFindings({ parsed }: Node, at: Date): string[] {
  const name = nameText(parsed.subject)
  const algorithm = parsed.signatureAlgorithm.algorithmId
  return [
    ...(at < parsed.notBefore.value
      ? [`\`${name}\` was not yet valid at ${at.toISOString()}`]
      : []),
    ...(at > parsed.notAfter.value ? [`\`${name}\` was expired at ${at.toISOString()}`] : []),
    ...(SIGNATURE_ALGORITHMS.has(algorithm) && parsed.signatureAlgorithm.isEqual(parsed.signature)
      ? []
      : [`\`${name}\` has the signature algorithm ${algorithm}, which is not accepted`]),
  ]
}

/** Pairs whose signature was good, by their parsed certificates: see parseCertificate. */
const links = new WeakMap<pkijs.Certificate, WeakSet<pkijs.Certificate>>()

async function signedBy(subject: pkijs.Certificate, issuer: pkijs.Certificate): Promise<boolean> {
  if (links.get(subject)?.has(issuer) === true) return true
  const good = await isSigned(subject, issuer)
  if (good) links.set(subject, (links.get(subject) ?? new WeakSet()).add(issuer))
  return good
}

async function isSigned(subject: pkijs.Certificate, issuer: pkijs.Certificate): Promise<boolean> {
  const { unusedBits, valueHexView } = subject.signatureValue.valueBlock
  const signed = {
    key: issuer.subjectPublicKeyInfo,
    bytes: subject.tbsView,
    signature: valueHexView,
    algorithm: subject.signatureAlgorithm,
  }
  return unusedBits === 0 && isSignedBy(signed)
}

function toNode(der: Uint8Array): Node {
  return { der, parsed: parseCertificate(der) }
}

function answer(path: readonly Node[], reasons: readonly string[]): ChainResult {
  return {
    valid: reasons.length === 0,
    reasons,
    chain: path.map(({ der }) => der),
    development: path.some(({ parsed }) => isDevelopment(parsed.issuer)),
  }
}
