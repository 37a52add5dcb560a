/** A P-256 key that stays in a PKCS#11 token: found by its label, used for ES256. @module */
import { createPublicKey, hash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { Problem } from '../../base/problem.ts'
import { parseDer, takeContent, writeDer } from '../der.ts'
import { ATTRIBUTE_BYTES_MAX, PIN_BYTES_MAX } from './limits.ts'
import { loadModule, type Module } from './module.ts'

/** Where a key is, and what opens the token. */
export interface TokenPlace {
  /** The module's shared library, such as /usr/lib/softhsm/libsofthsm2.so. */
  readonly module: string
  /** The token's label. */
  readonly token: string
  /** File that holds the user PIN; 0600. */
  readonly pin: string
  /** Label of the key pair (CKA_LABEL). */
  readonly label: string
}

/** A key in a token. Its private half cannot be read out, or it is not taken. */
export interface TokenKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /**
   * ES256: SHA-256 here, ECDSA in the token; r ‖ s. A session that ended is opened again, once.
   *
   * @throws {Problem} `key-unusable` when the token does not sign.
   */
  sign(bytes: Uint8Array): Buffer
}

// prettier-ignore
const CKA = {
  CLASS: 0x0, LABEL: 0x3, KEY_TYPE: 0x100, SENSITIVE: 0x103, EXTRACTABLE: 0x162, EC_PARAMS: 0x180, EC_POINT: 0x181,
} as const
const [PUBLIC_KEY, PRIVATE_KEY, EC] = [2, 3, 3]
/** OBJECT IDENTIFIER prime256v1, DER. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const ALGORITHM = Buffer.from('301306072a8648ce3d020106082a8648ce3d030107', 'hex')
const SIGNATURE_BYTES = 64

/**
 * Opens a key.
 *
 * @throws {Problem} `key-unusable` when module, token, PIN or key do not fit, or the key could leave.
 */
export async function openTokenKey(place: TokenPlace): Promise<TokenKey> {
  const module = await loadModule(place.module)
  let opened = openKey(module, place)
  const spki = readPublicKey(module, opened.session, place.label)
  return {
    spki,
    sign: (bytes) => {
      const digest = hash('sha256', bytes, 'buffer')
      const use = () => module.signEcdsa(opened.session, opened.key, digest, SIGNATURE_BYTES)
      try {
        return use()
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        // A token that was away has forgotten its sessions; what it says the second time counts.
        module.closeSession(opened.session)
        opened = openKey(module, place)
        return use()
      }
    },
  }
}

interface OpenKey {
  readonly session: bigint
  readonly key: bigint
}

function openKey(module: Module, place: TokenPlace): OpenKey {
  const [slot, ...others] = module.slots(place.token)
  if (slot === undefined || others.length > 0) {
    const found = slot === undefined ? 'no token' : 'more than one token'
    throw new Problem('key-unusable', `${place.module}: ${found} is labelled \`${place.token}\``)
  }
  const pin = readPin(place.pin)
  const session = module.openSession(slot, pin)
  pin.fill(0)
  try {
    return { session, key: findPrivateKey(module, session, place.label) }
  } catch (error) {
    module.closeSession(session)
    throw error
  }
}

function findPrivateKey(module: Module, session: bigint, label: string): bigint {
  const key = findOne(module, session, PRIVATE_KEY, label)
  const flag = (type: number) => module.attribute(session, key, type, 1)[0]
  if (flag(CKA.SENSITIVE) === 1 && flag(CKA.EXTRACTABLE) === 0) return key
  const help = 'make it in the token, sensitive and not extractable'
  throw new Problem('key-unusable', `key \`${label}\` could leave the token; ${help}`)
}

function findOne(module: Module, session: bigint, kind: number, label: string): bigint {
  const [object, ...others] = module.find(session, [
    [CKA.CLASS, word(kind)],
    [CKA.KEY_TYPE, word(EC)],
    [CKA.LABEL, Buffer.from(label)],
  ])
  if (object !== undefined && others.length === 0) return object
  const what = kind === PRIVATE_KEY ? 'private' : 'public'
  const found = object === undefined ? `no ${what} EC key` : `more than one ${what} EC key`
  throw new Problem('key-unusable', `the token has ${found} labelled \`${label}\``)
}

function readPublicKey(module: Module, session: bigint, label: string): Uint8Array {
  const object = findOne(module, session, PUBLIC_KEY, label)
  const read = (type: number) => module.attribute(session, object, type, ATTRIBUTE_BYTES_MAX)
  if (!read(CKA.EC_PARAMS).equals(P256)) {
    throw new Problem('key-unusable', `key \`${label}\` is not a P-256 key`)
  }
  const point = takeContent(parseDer(read(CKA.EC_POINT)), 0x04)
  const spki = writeDer(0x30, ALGORITHM, writeDer(0x03, Uint8Array.of(0), point))
  // Refuses a point that is not on the curve.
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }).export({
    format: 'der',
    type: 'spki',
  })
}

function readPin(path: string): Buffer {
  let mode: number
  let bytes: Buffer
  try {
    mode = statSync(path).mode
    bytes = readFileSync(path)
  } catch (cause) {
    throw new Problem('key-unusable', `${path}: the PIN cannot be read`, { cause })
  }
  if ((mode & 0o077) !== 0) {
    throw new Problem('key-unusable', `${path}: readable by others; run chmod 600`)
  }
  const end = bytes.at(-1) === 0x0a ? -1 : bytes.length
  if (bytes.length > PIN_BYTES_MAX) throw new Problem('key-unusable', `${path}: too long for a PIN`)
  return bytes.subarray(0, end)
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
