/** A caller's key pair and the JWTs it makes. @module */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CryptoKey, type JWTPayload, SignJWT, exportJWK, generateKeyPair } from 'jose'

/** A party's keys and what it signs with them. */
export interface TestParty {
  readonly id: string
  readonly jwks: { readonly keys: readonly object[] }
  readonly privateKey: CryptoKey
  /** Writes the public keys to `<folder>/<id>.jwks.json` and gives the path. */
  writeKeys(folder: string): string
  /** A JWT for `recipient`; `claims` override, undefined ones are left out. */
  jwt(recipient: string, claims?: Record<string, unknown>, header?: object): Promise<string>
}

/** Makes a party with a fresh key; `nowS` is its clock. */
export async function createTestParty(
  id: string,
  alg = 'ES256',
  nowS = () => Math.floor(Date.now() / 1000),
): Promise<TestParty> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', use: 'sig' }] }
  return {
    id,
    jwks,
    privateKey,
    writeKeys: (folder) => {
      const path = join(folder, `${id}.jwks.json`)
      writeFileSync(path, JSON.stringify(jwks))
      return path
    },
    jwt: (recipient, claims = {}, header = {}) => {
      const now = nowS()
      const payload = {
        iss: id,
        sub: id,
        aud: `urn:sealgate:${recipient}`,
        iat: now,
        exp: now + 60,
        jti: randomUUID(),
        ...claims,
      }
      return new SignJWT(payload as JWTPayload)
        .setProtectedHeader({ alg, kid: 'k1', ...header })
        .sign(privateKey)
    },
  }
}
