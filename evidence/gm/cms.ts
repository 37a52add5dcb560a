/**
 * Detached SM2 signatures as SignedData: plain CMS (RFC 5652) and the Chinese message types of
 * GM/T 0010. There are no signed attributes: the signature covers the content itself, so that any
 * SM2 tool can check it over the file. @module
 */
import { equalBytes, isDevelopment, parseCertificate, readCertificate } from '../x509-profile.ts'
import {
  type Der,
  parseDer,
  takeAlgorithm,
  takeContent,
  takeInteger,
  takeParts,
  writeDer,
} from '../der.ts'
import type { Signer } from '../x509-issue.ts'
import { SM2_SIGN, SM2_WITH_SM3, sm2Verify } from './sm2.ts'

/** Which object identifiers the message carries. */
export type CmsProfile = 'cms' | 'gm'

const oid = (hexadecimal: string) => writeDer(0x06, Buffer.from(hexadecimal, 'hex'))
/** Content types: signedData and data of RFC 5652 §4 and of GM/T 0010 §6. */
// prettier-ignore
const TYPES: Record<CmsProfile, { readonly signedData: Uint8Array; readonly data: Uint8Array }> = {
  cms: { signedData: oid('2a864886f70d010702'),     data: oid('2a864886f70d010701') },
  gm:  { signedData: oid('2a811ccf550601040202'),   data: oid('2a811ccf550601040201') },
}
const SM3 = '1.2.156.10197.1.401'
const SM3_ALGORITHM = writeDer(0x30, oid('2a811ccf55018311'), writeDer(0x05))
const SM2_ALGORITHM = writeDer(0x30, oid('2a811ccf55018375'), writeDer(0x05))
const MESSAGE_BYTES_MAX = 65_536

/** Signs content; the message does not contain it. */
export async function signDetached(
  content: Uint8Array,
  signer: Signer,
  certificateDer: Uint8Array,
  profile: CmsProfile,
): Promise<Uint8Array> {
  if (signer.algorithm !== SM2_WITH_SM3) throw new Error('expected an SM2 signer')
  const { signedData, data } = TYPES[profile]
  const version = writeDer(0x02, Uint8Array.of(1))
  const signerInfo = writeDer(
    0x30,
    version,
    issuerAndSerial(certificateDer),
    SM3_ALGORITHM,
    SM2_ALGORITHM,
    writeDer(0x04, await signer.sign(content)),
  )
  const signed = writeDer(
    0x30,
    version,
    writeDer(0x31, SM3_ALGORITHM),
    writeDer(0x30, data),
    writeDer(0xa0, certificateDer),
    writeDer(0x31, signerInfo),
  )
  return writeDer(0x30, signedData, writeDer(0xa0, signed))
}

/** `valid` exactly when there are no `reasons`. */
export interface DetachedResult {
  readonly valid: boolean
  readonly reasons: readonly string[]
  readonly certificateDer?: Uint8Array
  readonly development: boolean
}

/**
 * Verifies a detached message. Never throws on hostile bytes.
 *
 * @param trusted the signers' certificates, pinned: there is no path validation under SM2 here.
 * @param at when the signature was made, by trusted time.
 */
export function verifyDetached(
  message: Uint8Array,
  content: Uint8Array,
  { trusted, at, id }: { trusted: readonly Uint8Array[]; at: Date; id?: string },
): DetachedResult {
  try {
    const { certificateDer, signature } = parseMessage(message) // Attacker-controlled.
    const { spki, notBefore, notAfter, subject } = readCertificate(certificateDer)
    const reasons = [
      ...(sm2Verify(spki, content, signature, id) ? [] : ['the SM2 signature is wrong']),
      ...(trusted.some((der) => equalBytes(der, certificateDer))
        ? []
        : [`\`${subject}\` is not among the trusted signers`]),
      ...(at < notBefore || at > notAfter
        ? [`\`${subject}\` was not valid at ${at.toISOString()}`]
        : []),
    ]
    const development = isDevelopment(parseCertificate(certificateDer).issuer)
    return { valid: reasons.length === 0, reasons, certificateDer, development }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { valid: false, reasons: [`not a detached SM2 message: ${why}`], development: false }
  }
}

/** @throws {Error} when the bytes are not one message with one signer and its certificate. */
function parseMessage(message: Uint8Array): { certificateDer: Uint8Array; signature: Uint8Array } {
  if (message.length > MESSAGE_BYTES_MAX) throw new Error(`over ${MESSAGE_BYTES_MAX} bytes`)
  const [type, wrapped] = takeParts(parseDer(message), 0x30, 2)
  const types = Object.values(TYPES).find(({ signedData }) => is(type, signedData))
  if (types === undefined) throw new Error('expected SignedData')
  const [version, digests, content, certificates, signers] = takeParts(
    takeParts(wrapped, 0xa0, 1)[0],
    0x30,
    5,
  )
  const [data] = takeParts(content, 0x30, 1) // One part: the content itself is elsewhere.
  if (takeInteger(version) !== 1n || !is(data, types.data)) {
    throw new Error('expected version 1 with detached data')
  }
  const [certificate] = takeParts(certificates, 0xa0, 1)
  const [signer] = takeParts(signers, 0x31, 1)
  const [signerVersion, sid, digest, algorithm, signature] = takeParts(signer, 0x30, 5)
  if (certificate === undefined || takeInteger(signerVersion) !== 1n) {
    throw new Error('expected a certificate and a signer of version 1')
  }
  const used = [takeAlgorithm(takeParts(digests, 0x31, 1)[0]), takeAlgorithm(digest)]
  if (used.some((name) => name !== SM3)) throw new Error('expected the digest algorithm SM3')
  if (![SM2_WITH_SM3, SM2_SIGN].includes(takeAlgorithm(algorithm))) throw new Error('expected SM2')
  if (!is(sid, issuerAndSerial(certificate.raw)))
    throw new Error("expected the signer's certificate")
  return { certificateDer: certificate.raw, signature: takeContent(signature, 0x04) }
}

function is(value: Der | undefined, der: Uint8Array): boolean {
  return value !== undefined && equalBytes(value.raw, der)
}

/** RFC 5652 §10.2.4, from the certificate's own bytes. */
function issuerAndSerial(certificateDer: Uint8Array): Uint8Array {
  const [tbs] = takeParts(parseDer(certificateDer), 0x30, 3)
  const [version, serial, , issuer] = takeParts(tbs, 0x30, 7, 10)
  takeParts(version, 0xa0, 1)
  if (serial === undefined || issuer === undefined) throw new Error('expected a certificate')
  return writeDer(0x30, issuer.raw, serial.raw)
}
