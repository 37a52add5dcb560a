/** The key with which the gateway signs what it sends: one PEM file, made at the first start. @module */
import { type KeyObject, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ConfigFault } from '../fault.ts'

/**
 * Opens the Ed25519 key, making it when there is none. Recipients see a new key at
 * `/.well-known/jwks.json`, so a lost file costs no evidence.
 *
 * @throws {ConfigFault} when others can read the file, or it holds no such key.
 */
export function openRelayKey(file: string): KeyObject {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx', flush: true })
    return privateKey
  }
  return readRelayKey(file)
}

function readRelayKey(file: string): KeyObject {
  let pem: string
  let mode: number
  try {
    const descriptor = openSync(file, 'r')
    try {
      mode = fstatSync(descriptor).mode
      pem = readFileSync(descriptor, 'utf8')
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    throw new ConfigFault(file, 'the key cannot be read; check owner and mode', { cause })
  }
  if ((mode & 0o077) !== 0)
    throw new ConfigFault(file, `others can read the key; chmod 600 ${file}`)
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new ConfigFault(file, 'expected an Ed25519 private key in PEM', { cause })
  }
  throw new ConfigFault(file, 'expected an Ed25519 private key in PEM')
}
