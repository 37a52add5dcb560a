/** A time stamping authority that publishes revocation lists, as outside ones do. @module */
import { type Clock, toDate } from '../../base/clock.ts'
import { createTimestampAuthority } from '../../evidence/timestamp/authority.ts'
import type { TimestampSource } from '../../evidence/timestamp/client.ts'
import {
  createAuthority,
  generateKey,
  issueTimestampAuthority,
  keySigner,
  toIssuer,
} from '../../evidence/x509-issue.ts'
import { readCertificate } from '../../evidence/x509-profile.ts'
import { issueRevocationList } from '../../evidence/x509-revocation.ts'

/** The authority, and the pen of its issuer. */
export interface Outside {
  readonly source: TimestampSource
  /** A list that names the authority from that time on, or nobody. */
  list(at: Date, revoked?: Date): Promise<Uint8Array>
}

/** Makes one that is a day old; its lists are an hour old. */
export async function createOutside(clock: Clock): Promise<Outside> {
  const nowMs = toDate(clock.wallUs()).getTime()
  const [yesterday, before] = [new Date(nowMs - 86_400_000), new Date(nowMs - 3_600_000)]
  const { root, issuing } = await createAuthority(yesterday)
  const signer = keySigner(generateKey())
  const certificateDer = await issueTimestampAuthority(toIssuer(issuing), signer.spki, {
    ...{ commonName: 'Outside TSA', organization: '时间戳服务' },
    ...{ at: yesterday, days: 30 },
  })
  const serial = BigInt(`0x${readCertificate(certificateDer).serial}`)
  const list = (at: Date, revoked?: Date) =>
    issueRevocationList(
      toIssuer(issuing),
      new Map(revoked === undefined ? [] : [[serial, revoked]]),
      { at, days: 2, number: at.getTime() },
    )
  const rootList = await issueRevocationList(toIssuer(root), new Map(), { at: before, days: 2, number: 1 }) // prettier-ignore
  const lists = [await list(before), rootList]
  const chainDer = [issuing.certificateDer]
  return {
    list,
    source: {
      ...{ name: 'outside', roots: [root.certificateDer], revocation: async () => lists },
      send: createTimestampAuthority({ signer, certificateDer, chainDer, clock }),
    },
  }
}
