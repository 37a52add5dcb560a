/**
 * Files of the key folder. An identity is one PEM file with the private key, its certificate and the
 * chain: one file, so that a crash can never leave a key beside another key's certificate. @module
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Problem } from '../base/problem.ts'
import { writeFileDurably } from './durable.ts'
import { readPem, toPem } from './pem.ts'
import { exportKey, importKey, type Issued } from './x509-issue.ts'
import { readCertificate } from './x509-profile.ts'

/** What one identity's file holds. */
export interface Bundle extends Issued {
  readonly chainDer: readonly Uint8Array[]
}

/**
 * Reads an identity; undefined when there is no such file.
 *
 * @throws {Problem} `key-unusable` when it is open to others, damaged, or of two halves.
 */
export async function readBundle(path: string): Promise<Bundle | undefined> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined
      throw new Problem('key-unusable', `${path}: cannot be read`, { cause })
    },
  )
  if (mode === undefined) return undefined
  if ((mode & 0o077) !== 0) {
    const found = mode.toString(8).padStart(4, '0')
    throw new Problem('key-unusable', `${path}: mode is ${found}, expected 0600; run chmod 600`)
  }
  const text = await readFile(path, 'utf8')
  const [keyDer, ...moreKeys] = readPem(text, 'PRIVATE KEY')
  const [certificateDer, ...chainDer] = readPem(text)
  if (keyDer === undefined || certificateDer === undefined || moreKeys.length > 0) {
    throw new Problem('key-unusable', `${path}: expected one private key, then certificates`)
  }
  const privateKey = readKey(path, keyDer)
  const own = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  if (!own.equals(readCertificate(certificateDer).spki)) {
    throw new Problem('key-unusable', `${path}: the certificate is for another key`)
  }
  return { privateKey, certificateDer, chainDer }
}

function readKey(path: string, der: Uint8Array): KeyObject {
  try {
    const key = importKey(der)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch (cause) {
    throw new Problem('key-unusable', `${path}: the private key is damaged`, { cause })
  }
  throw new Problem('key-unusable', `${path}: expected a P-256 private key`)
}

/** Writes an identity; gives what the file then holds: with `create`, another process may have been first. */
export async function writeBundle(
  path: string,
  bundle: Bundle,
  how: 'create' | 'replace',
): Promise<Bundle> {
  const text = [
    toPem('PRIVATE KEY', exportKey(bundle.privateKey)),
    ...[bundle.certificateDer, ...bundle.chainDer].map((der) => toPem('CERTIFICATE', der)),
  ].join('')
  await writeFileDurably(path, text, 0o600, how)
  return how === 'replace' ? bundle : ((await readBundle(path)) ?? bundle)
}
