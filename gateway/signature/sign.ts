/** Signs what the gateway sends to a recipient (RFC 9421, Ed25519). @module */
import { type KeyObject, createHash, createPublicKey, sign } from 'node:crypto'

/** The parts of an outbound request that the signature covers. */
export interface OutboundParts {
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly query?: string
  readonly evidenceId: string
  /** Present exactly when there is a body. */
  readonly contentType?: string
  readonly contentEncoding?: string
  /** Absent while the body is not known yet. */
  readonly contentDigest?: string
  /** Seconds since the epoch. */
  readonly created: number
}

/** Makes the two fields of a signature. */
export interface MessageSigner {
  readonly keyId: string
  /** The public key as a JWK, for recipients to verify with. */
  readonly publicJwk: Readonly<Record<string, unknown>>
  /** @param place where the digest and the signature stand: behind a body that is sent as it comes. */
  sign(
    parts: OutboundParts,
    place?: 'header' | 'trailer',
  ): { readonly input: string; readonly signature: string }
}

/** @param privateKey Ed25519. The key id is its RFC 7638 thumbprint. */
export function createMessageSigner(privateKey: KeyObject): MessageSigner {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`
  const keyId = createHash('sha256').update(canonical).digest('base64url')
  return {
    keyId,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid: keyId, use: 'sig', alg: 'EdDSA' },
    sign: (parts, place = 'header') => {
      const components = componentsOf(parts, place)
      const covered = components.map(([identifier]) => identifier).join(' ')
      const params = `(${covered});created=${parts.created};keyid="${keyId}";alg="ed25519"`
      const lines = components.map(([identifier, value]) => `${identifier}: ${value}\n`)
      const base = `${lines.join('')}"@signature-params": ${params}`
      const signature = sign(null, Buffer.from(base, 'utf8'), privateKey).toString('base64')
      const label = place === 'header' ? 'relay' : 'relay-end'
      return { input: `${label}=${params}`, signature: `${label}=:${signature}:` }
    },
  }
}

/** Identifier and value of each covered component, in order (RFC 9421 §2). */
function componentsOf(parts: OutboundParts, place: 'header' | 'trailer'): [string, string][] {
  const { contentType, contentEncoding, contentDigest } = parts
  const components: [string, string][] = [
    ['"@method"', parts.method],
    ['"@authority"', parts.authority],
    ['"@path"', parts.path],
    ['"@query"', `?${parts.query ?? ''}`],
    ['"evidence-id"', parts.evidenceId],
  ]
  if (contentType !== undefined) components.push(['"content-type"', contentType])
  if (contentEncoding !== undefined) components.push(['"content-encoding"', contentEncoding])
  if (contentDigest !== undefined) {
    components.push([`"content-digest"${place === 'trailer' ? ';tr' : ''}`, contentDigest])
  }
  return components
}
