/** Issuing certificates of our profile: root, issuing authority, seal and time stamping. @module */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { toBuffer } from './der.ts'
import { DEVELOPMENT_ORGANIZATION, KEY_USAGE, OID, parseCertificate } from './x509-profile.ts'

/** A private key wherever it lives: in memory, or in a PKCS#11 token. */
export interface Signer {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Object identifier of the signature algorithm: ECDSA with SHA-256, or SM2 with SM3. */
  readonly algorithm: string
  /** Signs the bytes, not a digest of them; the signature is DER. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** A certificate with the key that it speaks for. */
export interface Issuer {
  readonly certificateDer: Uint8Array
  readonly signer: Signer
}

/** A certificate with its key in memory. */
export interface Issued {
  readonly certificateDer: Uint8Array
  readonly privateKey: KeyObject
}

// prettier-ignore
const VALIDITY_DAYS = { root: 20 * 365, issuing: 5 * 365 } as const
const COUNTRY = 'CN'
const DAY_MS = 86_400_000

/** Makes a self-made authority, which says so in its names. */
export async function createAuthority(at: Date): Promise<{ root: Issued; issuing: Issued }> {
  const root = await createRoot(at)
  return { root, issuing: await createIssuing(toIssuer(root), at) }
}

/** Self-signed; may have one level of authorities below it. */
export async function createRoot(at: Date): Promise<Issued> {
  const privateKey = generateKey()
  const signer = keySigner(privateKey)
  const subject = developmentName('root', signer.spki)
  const certificateDer = await issue(
    { subject, spki: signer.spki, at, days: VALIDITY_DAYS.root, extensions: authority(1) },
    { name: subject, signer },
  )
  return { certificateDer, privateKey }
}

/** Issues seal and time stamping certificates only: no authority below it. */
export async function createIssuing(root: Issuer, at: Date): Promise<Issued> {
  const privateKey = generateKey()
  const spki = keySigner(privateKey).spki
  const certificateDer = await issueUnder(root, {
    subject: developmentName('issuing', spki),
    spki,
    at,
    days: VALIDITY_DAYS.issuing,
    extensions: authority(0),
  })
  return { certificateDer, privateKey }
}

/** A certificate that speaks for itself: for SM2 keys, until a licensed authority's is installed. */
export async function createSelfSigned(
  signer: Signer,
  { at, days }: { readonly at: Date; readonly days: number },
): Promise<Uint8Array> {
  const subject = developmentName('signer', signer.spki)
  const extensions = [keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation, 6)]
  return issue({ subject, spki: signer.spki, at, days, extensions }, { name: subject, signer })
}

/** Who a leaf certificate names. `organization` is the operator's own name. */
export interface LeafSubject {
  readonly commonName: string
  readonly organization: string
}

/** A short-lived certificate for signing records. @param hours its life. */
export async function issueSeal(
  issuer: Issuer,
  spki: Uint8Array,
  { at, hours, ...subject }: LeafSubject & { readonly at: Date; readonly hours: number },
): Promise<Uint8Array> {
  return issueUnder(issuer, {
    subject: leafName(subject),
    spki,
    at,
    days: hours / 24,
    extensions: [keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation, 6)],
  })
}

/** A certificate for a time stamping authority (RFC 3161 §2.3). */
export async function issueTimestampAuthority(
  issuer: Issuer,
  spki: Uint8Array,
  { at, days, ...subject }: LeafSubject & { readonly at: Date; readonly days: number },
): Promise<Uint8Array> {
  const purposes = new pkijs.ExtKeyUsage({ keyPurposes: [OID.timeStamping] })
  return issueUnder(issuer, {
    subject: leafName(subject),
    spki,
    at,
    days,
    extensions: [
      keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation, 6),
      extension(OID.extKeyUsage, true, purposes.toSchema()),
    ],
  })
}

/** A new P-256 key. */
export function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** Signs with a key in memory. */
export function keySigner(privateKey: KeyObject): Signer {
  return {
    spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    algorithm: OID.ecdsaWithSha256,
    sign: async (bytes) => sign('sha256', bytes, privateKey),
  }
}

/** A certificate whose key is in memory, as an issuer. */
export function toIssuer({ certificateDer, privateKey }: Issued): Issuer {
  return { certificateDer, signer: keySigner(privateKey) }
}

/** The key as PKCS#8 DER. */
export function exportKey(privateKey: KeyObject): Uint8Array {
  return privateKey.export({ type: 'pkcs8', format: 'der' })
}

/** Reads PKCS#8 DER. */
export function importKey(der: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
}

interface Request {
  readonly subject: pkijs.RelativeDistinguishedNames
  readonly spki: Uint8Array
  readonly at: Date
  readonly days: number
  readonly extensions: readonly pkijs.Extension[]
}

/** Never beyond the issuer's own end: the path would break before the certificate does. */
function issueUnder(issuer: Issuer, request: Request): Promise<Uint8Array> {
  const { subject, notAfter } = parseCertificate(issuer.certificateDer)
  const daysLeft = (notAfter.value.getTime() - wholeSecond(request.at).getTime()) / DAY_MS
  const days = Math.min(request.days, daysLeft)
  return issue({ ...request, days }, { name: subject, signer: issuer.signer })
}

async function issue(
  request: Request,
  issuer: { readonly name: pkijs.RelativeDistinguishedNames; readonly signer: Signer },
): Promise<Uint8Array> {
  const notBefore = wholeSecond(request.at)
  const algorithm = new pkijs.AlgorithmIdentifier({ algorithmId: issuer.signer.algorithm })
  const certificate = new pkijs.Certificate({
    version: 2,
    serialNumber: new asn1.Integer({ valueHex: toBuffer(randomSerial()) }),
    signature: algorithm,
    issuer: issuer.name,
    notBefore: toTime(notBefore),
    notAfter: toTime(new Date(notBefore.getTime() + request.days * DAY_MS)),
    subject: request.subject,
    subjectPublicKeyInfo: pkijs.PublicKeyInfo.fromBER(toBuffer(request.spki)),
    signatureAlgorithm: algorithm,
    extensions: [
      ...request.extensions,
      extension(OID.subjectKeyId, false, octets(keyId(request.spki))),
      extension(OID.authorityKeyId, false, authorityKeyId(keyId(issuer.signer.spki))),
    ],
  })
  const tbs = new Uint8Array(certificate.encodeTBS().toBER())
  certificate.tbs = toBuffer(tbs)
  certificate.signatureValue = new asn1.BitString({
    valueHex: toBuffer(await issuer.signer.sign(tbs)),
  })
  return new Uint8Array(certificate.toSchema(true).toBER())
}

/** RFC 5280 §4.1.2.2 and CA/B Forum BR §7.1: positive, at least 64 random bits; here 127. */
function randomSerial(): Uint8Array {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40 // Positive, and never a leading zero octet.
  return serial
}

/** §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050, whole seconds. */
function toTime(value: Date): pkijs.Time {
  return new pkijs.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value })
}

function wholeSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000)
}

/** RFC 7093 §2(1): leftmost 160 bits of SHA-256 over the subject public key's bits. */
function keyId(spki: Uint8Array): Uint8Array {
  const { subjectPublicKey } = pkijs.PublicKeyInfo.fromBER(toBuffer(spki))
  const bits = subjectPublicKey.valueBlock.valueHexView
  return createHash('sha256').update(bits).digest().subarray(0, 20)
}

function developmentName(role: string, spki: Uint8Array): pkijs.RelativeDistinguishedNames {
  const tag = Buffer.from(keyId(spki)).toString('hex', 0, 3)
  return leafName({
    commonName: `Sealgate development ${role} ${tag}`,
    organization: DEVELOPMENT_ORGANIZATION,
  })
}

/** RFC 5280 §4.1.2.4, one attribute per RDN: the library's own encoder would join them into one. */
function leafName({ commonName, organization }: LeafSubject): pkijs.RelativeDistinguishedNames {
  const rows: [string, asn1.BaseBlock][] = [
    [OID.country, new asn1.PrintableString({ value: COUNTRY })],
    [OID.organization, new asn1.Utf8String({ value: organization })],
    [OID.commonName, new asn1.Utf8String({ value: commonName })],
  ]
  const sets = rows.map(([type, value]) => {
    const attribute = new asn1.Sequence({
      value: [new asn1.ObjectIdentifier({ value: type }), value],
    })
    return new asn1.Set({ value: [attribute] })
  })
  return pkijs.RelativeDistinguishedNames.fromBER(new asn1.Sequence({ value: sets }).toBER())
}

function authority(pathLenConstraint: number): pkijs.Extension[] {
  const constraints = new pkijs.BasicConstraints({ cA: true, pathLenConstraint })
  return [
    extension(OID.basicConstraints, true, constraints.toSchema()),
    keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.crlSign, 1),
  ]
}

function keyUsage(bits: number, unusedBits: number): pkijs.Extension {
  const value = new asn1.BitString({ valueHex: new Uint8Array([bits]).buffer, unusedBits })
  return extension(OID.keyUsage, true, value)
}

function authorityKeyId(id: Uint8Array): asn1.Sequence {
  return new pkijs.AuthorityKeyIdentifier({ keyIdentifier: octets(id) }).toSchema()
}

function extension(extnID: string, critical: boolean, value: asn1.BaseBlock): pkijs.Extension {
  return new pkijs.Extension({ extnID, critical, extnValue: value.toBER() })
}

function octets(bytes: Uint8Array): asn1.OctetString {
  return new asn1.OctetString({ valueHex: toBuffer(bytes) })
}
