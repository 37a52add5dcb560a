/** Tokens at any time, for the renewal tests. @module */
import type { Clock } from '../../base/clock.ts'
import type { StampDigest } from '../../evidence/renewal/renew.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import { encodeRequest } from '../../evidence/timestamp/request.ts'
import { DIGESTS, tokenOfResponse } from '../../evidence/timestamp/token.ts'
import {
  createRoot,
  createIssuing,
  generateKey,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'

export interface EvidenceMaker {
  readonly root: Uint8Array
  readonly stamp: StampDigest
  /** Answers a request. */
  send(request: Uint8Array): Promise<Uint8Array>
  /** A new key and a certificate for three years from now on. */
  renewCertificate(): Promise<void>
}

/** An authority with certificates of three years. */
export async function createEvidenceMaker(clock: Clock): Promise<EvidenceMaker> {
  const now = () => new Date(Number(clock.wallUs() / 1000n))
  const root = await createRoot(now())
  const make = async () => {
    const issuing = await createIssuing(toIssuer(root), now())
    const signer = keySigner(generateKey())
    const names = { commonName: 'TSA', organization: '某某征信有限公司' }
    const certificateDer = await issueTimestampAuthority(toIssuer(issuing), signer.spki, {
      ...names,
      at: now(),
      days: 3 * 365,
    })
    return createTimestampAuthority({
      signer,
      certificateDer,
      chainDer: [issuing.certificateDer],
      clock,
    })
  }
  let authority = await make()
  return {
    root: root.certificateDer,
    send: (request) => authority(request),
    renewCertificate: async () => {
      authority = await make()
    },
    stamp: async (name, value) => {
      const algorithm = [...DIGESTS].find(([, each]) => each === name)?.[0] ?? ''
      return tokenOfResponse(
        await authority(encodeRequest({ algorithm, digest: value, certificates: true })),
      )
    },
  }
}
