/**
 * The embedded time stamping authority (RFC 3161). For development: its certificate comes from a
 * self-made authority and its clock is this machine's, so every report calls its time untrusted.
 * @module
 */
import { createHash } from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { type Clock, toDate } from '../../base/clock.ts'
import { parseDer, toBuffer } from '../der.ts'
import type { Signer } from '../x509-issue.ts'
import { OID, parseCertificate } from '../x509-profile.ts'
import { watchDrift } from './drift.ts'
import { parseRequest, type TimestampRequest } from './request.ts'
import { TOKEN_OID } from './token.ts'

/** Policy of the embedded authority: under 2.999, the arc for examples, as it promises nothing. */
export const DEVELOPMENT_POLICY = '2.999.3161.1'

const SHA256 = '2.16.840.1.101.3.4.2.1'
const ACCURACY_S = 1
// RFC 3161 §2.4.2, PKIFailureInfo bits.
// prettier-ignore
const FAILURE = { badDataFormat: 5, timeNotAvailable: 14, unacceptedPolicy: 15 } as const

/** What an authority needs. */
export interface AuthorityPorts {
  readonly signer: Signer
  readonly certificateDer: Uint8Array
  /** Issuing authority and root, which tokens carry when asked for certificates. */
  readonly chainDer: readonly Uint8Array[]
  readonly clock: Clock
}

/** Answers requests; a refusal is an answer too. */
export type TimestampAuthority = (request: Uint8Array) => Promise<Uint8Array>

/** Starts an authority; it stops stamping for good once it sees its clock jump. */
export function createTimestampAuthority(ports: AuthorityPorts): TimestampAuthority {
  const watch = watchDrift(ports.clock)
  let lastUs = 0n
  return async (bytes) => {
    const wallUs = ports.clock.wallUs()
    // A clock that stands still must not make two tokens with one serial number.
    const serial = wallUs > lastUs ? wallUs : lastUs + 1n
    if (watch().jumped || wallUs < lastUs - 1_000_000n) {
      return refuse(FAILURE.timeNotAvailable, 'the clock was set')
    }
    let request: TimestampRequest
    try {
      request = parseRequest(bytes)
    } catch (error) {
      return refuse(FAILURE.badDataFormat, error instanceof Error ? error.message : '')
    }
    if (request.policy !== undefined && request.policy !== DEVELOPMENT_POLICY) {
      return refuse(FAILURE.unacceptedPolicy, `the policy here is ${DEVELOPMENT_POLICY}`)
    }
    lastUs = serial
    return grant(await makeToken(ports, request, serial, wallUs))
  }
}

async function makeToken(
  ports: AuthorityPorts,
  request: TimestampRequest,
  serial: bigint,
  wallUs: bigint,
): Promise<pkijs.ContentInfo> {
  const content = encodeInfo(request, serial, toDate(wallUs))
  const certificate = parseCertificate(ports.certificateDer)
  const attributes = new pkijs.SignedAndUnsignedAttributes({
    type: 0,
    attributes: signedAttributes(content, ports.certificateDer),
  })
  // RFC 5652 §5.4: signed as a SET OF, in DER order, with the universal tag.
  const set = new asn1.Set({ value: attributes.attributes.map((part) => part.toSchema()) })
  const signature = await ports.signer.sign(new Uint8Array(set.toBER()))
  const encapContentInfo = new pkijs.EncapsulatedContentInfo({ eContentType: TOKEN_OID.tstInfo })
  encapContentInfo.eContent = new asn1.OctetString({ valueHex: toBuffer(content) })
  const signed = new pkijs.SignedData({
    version: 3, // RFC 5652 §5.1: the content is not id-data.
    digestAlgorithms: [new pkijs.AlgorithmIdentifier({ algorithmId: SHA256 })],
    encapContentInfo,
    ...(request.certificates
      ? { certificates: [ports.certificateDer, ...ports.chainDer].map(parseCertificate) }
      : {}),
    signerInfos: [
      new pkijs.SignerInfo({
        version: 1,
        sid: new pkijs.IssuerAndSerialNumber({
          issuer: certificate.issuer,
          serialNumber: certificate.serialNumber,
        }),
        digestAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: SHA256 }),
        signedAttrs: attributes,
        signatureAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: OID.ecdsaWithSha256 }),
        signature: new asn1.OctetString({ valueHex: toBuffer(signature) }),
      }),
    ],
  })
  return new pkijs.ContentInfo({
    contentType: TOKEN_OID.signedData,
    content: signed.toSchema(true),
  })
}

/** TSTInfo, DER (RFC 3161 §2.4.2). */
function encodeInfo(request: TimestampRequest, serial: bigint, time: Date): Uint8Array {
  const info = new pkijs.TSTInfo({
    version: 1,
    policy: DEVELOPMENT_POLICY,
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: request.algorithm }),
      hashedMessage: new asn1.OctetString({ valueHex: toBuffer(request.digest) }),
    }),
    serialNumber: asn1.Integer.fromBigInt(serial),
    genTime: new Date(Math.floor(time.getTime() / 1000) * 1000),
    accuracy: new pkijs.Accuracy({ seconds: ACCURACY_S }),
    ...(request.nonce === undefined ? {} : { nonce: asn1.Integer.fromBigInt(request.nonce) }),
  })
  return new Uint8Array(info.toSchema().toBER())
}

/** In DER's order of a SET OF: shorter encodings first here, as all begin with SEQUENCE, length. */
function signedAttributes(content: Uint8Array, certificateDer: Uint8Array): pkijs.Attribute[] {
  const octets = (bytes: Uint8Array) => new asn1.OctetString({ valueHex: toBuffer(sha256(bytes)) })
  // SigningCertificateV2 { certs { ESSCertIDv2 { certHash } } }; SHA-256 is the default (RFC 5035 §4).
  const id = new asn1.Sequence({ value: [octets(certificateDer)] })
  const ids = new asn1.Sequence({ value: [id] })
  return [
    new pkijs.Attribute({
      type: TOKEN_OID.contentType,
      values: [new asn1.ObjectIdentifier({ value: TOKEN_OID.tstInfo })],
    }),
    new pkijs.Attribute({ type: TOKEN_OID.messageDigest, values: [octets(content)] }),
    new pkijs.Attribute({
      type: TOKEN_OID.signingCertificateV2,
      values: [new asn1.Sequence({ value: [ids] })],
    }),
  ]
}

function grant(token: pkijs.ContentInfo): Uint8Array {
  const status = new asn1.Sequence({ value: [new asn1.Integer({ value: 0 })] })
  return toDer(new asn1.Sequence({ value: [status, token.toSchema()] }))
}

function refuse(bit: number, why: string): Uint8Array {
  const bits = new Uint8Array((bit >> 3) + 1)
  bits[bit >> 3] = 0x80 >> (bit & 7)
  const failInfo = new asn1.BitString({ valueHex: toBuffer(bits), unusedBits: 7 - (bit & 7) })
  const text = new asn1.Sequence({ value: [new asn1.Utf8String({ value: why })] })
  const rejection = new asn1.Integer({ value: 2 })
  const status = new asn1.Sequence({ value: [rejection, text, failInfo] })
  return toDer(new asn1.Sequence({ value: [status] }))
}

function toDer(value: asn1.BaseBlock): Uint8Array {
  const der = new Uint8Array(value.toBER())
  parseDer(der) // INVARIANT: what leaves here is DER; the library can also write BER.
  return der
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
