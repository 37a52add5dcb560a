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
  readonly contentDigest?: string
  /** Seconds since the epoch. */
  readonly created: number
}

/** Makes the two fields of a signature. */
export interface MessageSigner {
  readonly keyId: string
  /** The public key as a JWK, for recipients to verify with. */
  readonly publicJwk: Readonly<Record<string, unknown>>
  sign(parts: OutboundParts): { readonly input: string; readonly signature: string }
}

/** @param privateKey Ed25519. The key id is its RFC 7638 thumbprint. */
export function createMessageSigner(privateKey: KeyObject): MessageSigner {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`
  const keyId = createHash('sha256').update(canonical).digest('base64url')
  return {
    keyId,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid: keyId, use: 'sig', alg: 'EdDSA' },
    sign: (parts) => {
      const { contentType, contentDigest } = parts
      const body = contentDigest === undefined ? '' : ' "content-type" "content-digest"'
      const covered = `("@method" "@authority" "@path" "@query" "evidence-id"${body})`
      const params = `${covered};created=${parts.created};keyid="${keyId}";alg="ed25519"`
      const base =
        `"@method": ${parts.method}\n"@authority": ${parts.authority}\n"@path": ${parts.path}\n` +
        `"@query": ?${parts.query ?? ''}\n"evidence-id": ${parts.evidenceId}\n` +
        (contentDigest === undefined
          ? ''
          : `"content-type": ${contentType}\n"content-digest": ${contentDigest}\n`) +
        `"@signature-params": ${params}`
      const signature = sign(null, Buffer.from(base, 'utf8'), privateKey).toString('base64')
      return { input: `relay=${params}`, signature: `relay=:${signature}:` }
    },
  }
}
