/** Signs what the gateway sends to a recipient (RFC 9421): Ed25519, or a shared secret. @module */
import { type KeyObject, createHash, createPublicKey, sign } from 'node:crypto'
import { macOf, type SharedSecret } from './secrets.ts'

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
  /** @param place where the digest and the signature stand: behind a body that is sent as it comes. */
  sign(
    parts: OutboundParts,
    place?: 'header' | 'trailer',
  ): { readonly input: string; readonly signature: string }
}

/** A signer whose signatures everybody can verify. */
export interface PublicSigner extends MessageSigner {
  readonly keyId: string
  /** The public key as a JWK, for recipients to verify with. */
  readonly publicJwk: Readonly<Record<string, unknown>>
}

/** @param privateKey Ed25519. The key id is its RFC 7638 thumbprint. */
export function createMessageSigner(privateKey: KeyObject): PublicSigner {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`
  const keyId = createHash('sha256').update(canonical).digest('base64url')
  return {
    keyId,
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid: keyId, use: 'sig', alg: 'EdDSA' },
    sign: signWith(`keyid="${keyId}";alg="ed25519"`, (base) =>
      sign(null, Buffer.from(base, 'utf8'), privateKey),
    ),
  }
}

/** Signs with a secret that the recipient shares: cheap for both, and proof for nobody else. */
export function createSecretSigner(secret: SharedSecret): MessageSigner {
  return {
    sign: signWith(`keyid="${secret.kid}";alg="hmac-sha256"`, (base) => macOf(secret, base)),
  }
}

/** @param key the parameters that name the key. */
function signWith(key: string, signBase: (base: string) => Buffer): MessageSigner['sign'] {
  return (parts, place = 'header') => {
    const components = componentsOf(parts, place)
    let covered = ''
    let base = ''
    for (const [identifier, value] of components) {
      covered += covered === '' ? identifier : ` ${identifier}`
      base += `${identifier}: ${value}\n`
    }
    const params = `(${covered});created=${parts.created};${key}`
    const signature = signBase(`${base}"@signature-params": ${params}`).toString('base64')
    const label = place === 'header' ? 'relay' : 'relay-end'
    return { input: `${label}=${params}`, signature: `${label}=:${signature}:` }
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
