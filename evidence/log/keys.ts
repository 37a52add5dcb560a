/** The log's signing keys, PKCS #8 PEM files that only their owner can read. @module */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../base/problem.ts'
import {
  ED25519,
  makeSigner,
  makeVerifier,
  ML_DSA_44_COSIGNATURE,
  type NoteSigner,
  type Verifier,
} from './note.ts'

const ED25519_FILE = 'log-ed25519.pem'
const ML_DSA_44_FILE = 'log-ml-dsa-44.pem'

/**
 * Opens the two keys that sign checkpoints, making them when absent: Ed25519, which every tool
 * verifies, and ML-DSA-44, which outlives it. Both are named by the log's origin.
 *
 * @throws {Problem} `log-unavailable` when a key file is readable by others or is no such key.
 */
export function openLogKeys(folder: string, origin: string): NoteSigner[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const ed25519 = openKey(join(folder, ED25519_FILE), 'ed25519')
  const mlDsa = openKey(join(folder, ML_DSA_44_FILE), 'ml-dsa-44')
  return [makeSigner(origin, ED25519, ed25519), makeSigner(origin, ML_DSA_44_COSIGNATURE, mlDsa)]
}

/**
 * Reads the public halves, for commands that only look at a log.
 *
 * @throws {Problem} `log-unavailable` when the keys are not here.
 */
export function readLogVerifiers(folder: string, origin: string): Verifier[] {
  return [
    makeVerifier(origin, ED25519, createPublicKey(readKey(join(folder, ED25519_FILE), 'ed25519'))),
    makeVerifier(
      origin,
      ML_DSA_44_COSIGNATURE,
      createPublicKey(readKey(join(folder, ML_DSA_44_FILE), 'ml-dsa-44')),
    ),
  ]
}

/** What a key of the log or of a witness may be. */
export type KeyType = 'ed25519' | 'ml-dsa-44'

/** Opens one private key, making it when absent. @throws {Problem} `log-unavailable`. */
export function openKey(path: string, type: KeyType): KeyObject {
  if (!existsSync(path)) {
    const { privateKey } =
      type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ml-dsa-44')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
    writeFileSync(path, pem, { mode: 0o600, flag: 'wx', flush: true })
  }
  return readKey(path, type)
}

function readKey(path: string, type: KeyType): KeyObject {
  if (!existsSync(path)) throw new Problem('log-unavailable', `there is no key \`${path}\``)
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new Problem(
      'log-unavailable',
      `\`${path}\` is readable by others; run \`chmod 600\` on it`,
    )
  }
  try {
    const key = createPrivateKey(readFileSync(path))
    if (key.asymmetricKeyType === type) return key
  } catch (cause) {
    throw new Problem('log-unavailable', `\`${path}\` is no private key in PEM form`, { cause })
  }
  throw new Problem('log-unavailable', `\`${path}\` is no ${type} key`)
}
