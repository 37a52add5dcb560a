/** Callers that sign the message itself (RFC 9421) instead of sending a JWT. @module */
import type { IncomingMessage } from 'node:http'
import type { CryptoKey } from 'jose'
import type { InnerList } from 'structured-headers'
import { Problem } from '../../base/problem.ts'
import type { Head } from '../http/headers.ts'
import {
  type PresentedSignature,
  type SignatureAlgorithm,
  readSignature,
  verifySignature,
} from '../signature/verify.ts'
import { signatureBase } from '../signature/base.ts'
import { type SharedSecret, verifyMac } from '../signature/secrets.ts'
import { keyObjectOf } from './jws.ts'
import { type KeyFinder, thumbprint } from './keys.ts'
import { PARTY_LIMITS } from './party.ts'
import type { ReplayWindow } from './replay.ts'

const { CLOCK_SKEW_S, TOKEN_LIFE_MAX_S, JTI_CHARACTERS_MAX } = PARTY_LIMITS

/** RFC 9421 name → the JOSE name under which a key set holds such a key. */
const JOSE_NAMES: Readonly<Record<SignatureAlgorithm, string>> = {
  ed25519: 'EdDSA',
  'ecdsa-p256-sha256': 'ES256',
  'rsa-pss-sha512': 'PS512',
  'rsa-v1_5-sha256': 'RS256',
}

/** `keyid` is `<party id>#<kid>`: it says whose key set to look in. */
const KEY_ID = /^([^#]+)#(.+)$/

/**
 * Reads who a signature claims to be from; nothing about it is proven yet.
 *
 * @throws {Problem} `credentials-invalid`
 */
export function claimedSigner(head: Head): {
  readonly party: string
  readonly label: PresentedSignature
} {
  const label = readSignature(head.get('signature-input') ?? '', head.get('signature') ?? '')
  const party = KEY_ID.exec(textParameter(label.covered, 'keyid'))?.[1]
  if (party === undefined) throw invalid('expected `keyid` as `<party id>#<kid>`')
  return { party, label }
}

/** What a signature is checked against. */
export interface SignatureCheck extends Check {
  readonly keys: KeyFinder
}

interface Check {
  readonly head: Head
  readonly label: PresentedSignature
  readonly replay: ReplayWindow
  readonly nowS: number
  readonly startedS: number
}

/**
 * Verifies a caller's signature and spends its nonce. A covered `content-digest` ties the body to
 * it once the body is read.
 *
 * @returns the thumbprint of the key that signed.
 * @throws {Problem} `credentials-invalid`, `credentials-replayed`, `overloaded`
 */
export async function verifyCallerSignature(
  request: IncomingMessage,
  check: SignatureCheck,
): Promise<string> {
  const { head, label } = check
  const spend = checkParameters(check)
  const algorithm = textParameter(label.covered, 'alg')
  if (!isAlgorithm(algorithm)) {
    throw invalid(`expected \`alg\` ${Object.keys(JOSE_NAMES).join(', ')}`)
  }
  const kid = KEY_ID.exec(textParameter(label.covered, 'keyid'))?.[2] ?? ''
  const key = await findKey(check.keys, JOSE_NAMES[algorithm], kid)
  const message = requestMessage(request, head)
  if (!verifySignature(message, label, algorithm, keyObjectOf(key))) {
    throw invalid('the signature does not verify')
  }
  spend()
  return thumbprint(key)
}

/**
 * The same with a secret that the caller shares with the gateway: it proves the caller to the gateway,
 * and to nobody else, which evidence says by its own name (`hmac`).
 *
 * @returns the thumbprint of the secret.
 */
export function verifyCallerMac(
  request: IncomingMessage,
  check: Check & { readonly secrets: readonly SharedSecret[] },
): string {
  const { head, label } = check
  const spend = checkParameters(check)
  const kid = KEY_ID.exec(textParameter(label.covered, 'keyid'))?.[2]
  const secret = check.secrets.find((each) => each.kid === kid)
  if (secret === undefined) throw invalid('no registered key fits `keyid` and `alg`')
  const base = signatureBase(requestMessage(request, head), label.covered)
  if (!verifyMac(secret, base, label.signature)) throw invalid('the signature does not verify')
  spend()
  return secret.thumbprint
}

/** What must hold whatever the key is. @returns what spends the nonce, once the signature is right. */
function checkParameters({ head, label, nowS, startedS, replay }: Check): () => void {
  checkCoverage(label.covered, head)
  const created = checkTimes(label.covered, nowS, startedS)
  const nonce = textParameter(label.covered, 'nonce')
  if (nonce === '' || nonce.length > JTI_CHARACTERS_MAX) {
    throw invalid(`expected \`nonce\` of 1 to ${JTI_CHARACTERS_MAX} characters`)
  }
  return () => replay.accept(nonce, created + TOKEN_LIFE_MAX_S + CLOCK_SKEW_S, nowS)
}

/** The request as the caller saw it. */
function requestMessage(request: IncomingMessage, head: Head) {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: request.method ?? '',
    scheme: 'encrypted' in request.socket ? 'https' : 'http',
    authority: head.get('host') ?? '',
    path: mark === -1 ? url : url.slice(0, mark),
    ...(mark === -1 ? {} : { query: url.slice(mark + 1) }),
    field: (name: string) => head.get(name),
  }
}

/** A signature that leaves out method, target, body or what a part is could be moved to another request. */
function checkCoverage(covered: InnerList, head: Head): void {
  const names = new Set(covered[0].map(([name]) => name))
  const target =
    names.has('@target-uri') ||
    ['@authority', '@path', '@query'].every((component) => names.has(component))
  if (!names.has('@method') || !target) {
    throw invalid('expected `@method`, and `@target-uri` or `@authority` `@path` `@query`')
  }
  const hasBody = head.has('transfer-encoding') || Number(head.get('content-length') ?? 0) > 0
  if (hasBody && !(names.has('content-digest') && names.has('content-type'))) {
    throw invalid('expected `content-digest` and `content-type` to be covered')
  }
  const upload = ['upload-complete', 'upload-offset', 'upload-length']
  if (upload.some((name) => head.has(name) && !names.has(name))) {
    throw invalid(`expected \`${upload.join('`, `')}\` to be covered where they are sent`)
  }
}

function checkTimes(covered: InnerList, nowS: number, startedS: number): number {
  const created = covered[1].get('created')
  const expires = covered[1].get('expires')
  if (typeof created !== 'number') throw invalid('expected `created`')
  if (created > nowS + CLOCK_SKEW_S) throw invalid('`created` is in the future')
  if (created < nowS - TOKEN_LIFE_MAX_S) throw invalid('`created` is too long ago')
  if (created < startedS) throw invalid('`created` is before this gateway started; sign again')
  if (typeof expires === 'number' && expires < nowS - CLOCK_SKEW_S) throw invalid('expired')
  return created
}

async function findKey(keys: KeyFinder, alg: string, kid: string): Promise<CryptoKey> {
  try {
    return await keys({ alg, kid })
  } catch (cause) {
    throw invalid('no registered key fits `keyid` and `alg`', cause)
  }
}

function textParameter(covered: InnerList, name: string): string {
  const value = covered[1].get(name)
  return typeof value === 'string' ? value : ''
}

function isAlgorithm(name: string): name is SignatureAlgorithm {
  return Object.hasOwn(JOSE_NAMES, name)
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('credentials-invalid', detail, cause === undefined ? {} : { cause })
}
