/** The SM2 key that signs checkpoints and exports, with its certificate, in one file. @module */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Clock, toDate } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { readPem, toPem } from '../pem.ts'
import { createSelfSigned, type Signer } from '../x509-issue.ts'
import { equalBytes, readCertificate } from '../x509-profile.ts'
import { writeFileDurably } from '../durable.ts'
import { signDetached } from './cms.ts'
import { generateSm2Key, sm2Signer } from './sm2.ts'

/** Of the self-made certificate, until a licensed authority's is put in its place. */
const DAYS = 5 * 365

/** An SM2 signer and whom its certificate names. */
export interface Sm2Identity {
  readonly signer: Signer
  readonly certificateDer: Uint8Array
}

/**
 * Opens the identity, making it when absent: a PRIVATE KEY (PKCS #8) and its CERTIFICATE, PEM.
 *
 * @throws {Problem} `key-unusable` when the file is open to others, damaged, or of two halves.
 */
export async function openSm2Identity(path: string, clock: Clock): Promise<Sm2Identity> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Problem('key-unusable', `${path}: cannot be read`, { cause: error })
  })
  if (found === undefined) await create(path, toDate(clock.wallUs()))
  else if ((found.mode & 0o077) !== 0) {
    throw new Problem('key-unusable', `${path}: readable by others; run chmod 600`)
  }
  const text = await readFile(path, 'utf8')
  const [key, ...others] = readPem(text, 'PRIVATE KEY')
  const [certificateDer] = readPem(text)
  if (key === undefined || certificateDer === undefined || others.length > 0) {
    throw new Problem('key-unusable', `${path}: expected one private key and its certificate`)
  }
  const signer = readKey(path, key)
  if (equalBytes(readCertificate(certificateDer).spki, signer.spki))
    return { signer, certificateDer }
  throw new Problem('key-unusable', `${path}: the certificate is for another key`)
}

/** Signs content, detached, under the object identifiers of GM/T 0010. */
export function countersign(
  { signer, certificateDer }: Sm2Identity,
  content: Uint8Array,
): Promise<Uint8Array> {
  return signDetached(content, signer, certificateDer, 'gm')
}

function readKey(path: string, der: Uint8Array): Signer {
  try {
    return sm2Signer(der)
  } catch (cause) {
    throw new Problem('key-unusable', `${path}: the private key is no SM2 key`, { cause })
  }
}

async function create(path: string, at: Date): Promise<void> {
  const key = generateSm2Key()
  const certificate = await createSelfSigned(sm2Signer(key), { at, days: DAYS })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const text = toPem('PRIVATE KEY', key) + toPem('CERTIFICATE', certificate)
  await writeFileDurably(path, text, 0o600, 'create')
}
