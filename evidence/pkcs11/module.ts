/**
 * Calls into a PKCS#11 module (OASIS PKCS #11 2.40) through node:ffi. Synchronous: a call holds the
 * event loop for as long as the token takes. Everything is little-endian with 8-byte CK_ULONG: Linux
 * and macOS on x86-64 and arm64. @module
 */
import type * as FFI from 'node:ffi'
import { Problem } from '../../base/problem.ts'
import { OBJECTS_MAX, SLOTS_MAX } from './limits.ts'

/** CK_ULONG, and all handles. */
const WORD = 8
/** sizeof(CK_TOKEN_INFO), rounded up; the label is its first 32 bytes, padded with spaces. */
const TOKEN_INFO_BYTES = 256
const LABEL_BYTES = 32
const [CKF_SERIAL_SESSION, CKU_USER, CKM_ECDSA] = [4n, 1n, 0x1041n]
/** Return values (§6 of the base specification) that have a meaning here. */
const CKR = {
  OK: 0n,
  PIN_INCORRECT: 0xa0n,
  USER_ALREADY_LOGGED_IN: 0x100n,
  CRYPTOKI_ALREADY_INITIALIZED: 0x191n,
} as const

const [U64, BUFFER, POINTER] = ['uint64', 'buffer', 'pointer'] as const
// prettier-ignore
const FUNCTIONS = {
  C_Initialize:        { return: U64, arguments: [POINTER] },
  C_GetSlotList:       { return: U64, arguments: ['uint8', POINTER, BUFFER] },
  C_GetTokenInfo:      { return: U64, arguments: [U64, BUFFER] },
  C_OpenSession:       { return: U64, arguments: [U64, U64, POINTER, POINTER, BUFFER] },
  C_CloseSession:      { return: U64, arguments: [U64] },
  C_Login:             { return: U64, arguments: [U64, U64, BUFFER, U64] },
  C_FindObjectsInit:   { return: U64, arguments: [U64, BUFFER, U64] },
  C_FindObjects:       { return: U64, arguments: [U64, BUFFER, U64, BUFFER] },
  C_FindObjectsFinal:  { return: U64, arguments: [U64] },
  C_GetAttributeValue: { return: U64, arguments: [U64, U64, BUFFER, U64] },
  C_SignInit:          { return: U64, arguments: [U64, BUFFER, U64] },
  C_Sign:              { return: U64, arguments: [U64, BUFFER, U64, BUFFER, BUFFER] },
} as const satisfies FFI.FunctionDefinitions

/** An attribute of an object, with its value as PKCS#11 spells it. */
export type Attribute = readonly [type: number, value: Buffer]

/** A module in use. Handles are opaque; a session handle belongs to one thread. */
export interface Module {
  /** Slots whose token bears this label. */
  slots(label: string): bigint[]
  openSession(slot: bigint, pin: Buffer): bigint
  closeSession(session: bigint): void
  /** At most `OBJECTS_MAX` handles of the objects that have all the attributes. */
  find(session: bigint, attributes: readonly Attribute[]): bigint[]
  attribute(session: bigint, object: bigint, type: number, bytesMax: number): Buffer
  /** CKM_ECDSA over a digest; r ‖ s. */
  signEcdsa(session: bigint, key: bigint, digest: Buffer, signatureBytes: number): Buffer
}

/**
 * Loads a module. It stays loaded: a second `C_Initialize` in one process is refused by the standard.
 *
 * @throws {Problem} `key-unusable` when it is not a PKCS#11 module, or this Node has no node:ffi.
 */
export async function loadModule(path: string): Promise<Module> {
  let ffi: typeof FFI
  let call: FFI.DynamicLibraryResult<typeof FUNCTIONS>['functions']
  try {
    ffi = await import('node:ffi')
  } catch (cause) {
    throw new Problem('key-unusable', 'PKCS#11 needs Node 26.1 or later', { cause })
  }
  try {
    call = ffi.dlopen(path, FUNCTIONS).functions
  } catch (cause) {
    throw new Problem('key-unusable', `\`${path}\` is no PKCS#11 module`, { cause })
  }
  const started = call.C_Initialize(0n)
  if (started !== CKR.CRYPTOKI_ALREADY_INITIALIZED) check('C_Initialize', started)
  return bindModule(call, (bytes) => ffi.getRawPointer(bytes))
}

type Calls = FFI.DynamicLibraryResult<typeof FUNCTIONS>['functions']

/** INVARIANT: each buffer whose address goes into a structure is held by a local until the call returns. */
function bindModule(call: Calls, addressOf: (bytes: Buffer) => bigint): Module {
  const count = Buffer.alloc(WORD)
  const template = (attributes: readonly Attribute[]): Buffer => {
    const rows = attributes.map(([type, value]) => words(BigInt(type), addressOf(value), BigInt(value.length))) // prettier-ignore
    return Buffer.concat(rows)
  }
  const mechanism = words(CKM_ECDSA, 0n, 0n)
  return {
    slots: (label) => {
      count.writeBigUInt64LE(BigInt(SLOTS_MAX))
      const list = Buffer.alloc(SLOTS_MAX * WORD)
      check('C_GetSlotList', call.C_GetSlotList(1, addressOf(list), count))
      return readWords(list, count).filter((slot) => {
        const info = Buffer.alloc(TOKEN_INFO_BYTES)
        check('C_GetTokenInfo', call.C_GetTokenInfo(slot, info))
        return info.toString('utf8', 0, LABEL_BYTES).trimEnd() === label
      })
    },
    openSession: (slot, pin) => {
      const session = Buffer.alloc(WORD)
      check('C_OpenSession', call.C_OpenSession(slot, CKF_SERIAL_SESSION, 0n, 0n, session))
      const handle = session.readBigUInt64LE()
      const answer = call.C_Login(handle, CKU_USER, pin, BigInt(pin.length))
      // Logging in is for all sessions of the process.
      if (answer !== CKR.USER_ALREADY_LOGGED_IN) check('C_Login', answer)
      return handle
    },
    closeSession: (session) => void call.C_CloseSession(session),
    find: (session, attributes) => {
      const wanted = template(attributes)
      const found = Buffer.alloc(OBJECTS_MAX * WORD)
      check('C_FindObjectsInit', call.C_FindObjectsInit(session, wanted, BigInt(attributes.length)))
      const answer = call.C_FindObjects(session, found, BigInt(OBJECTS_MAX), count)
      call.C_FindObjectsFinal(session)
      check('C_FindObjects', answer)
      return readWords(found, count)
    },
    attribute: (session, object, type, bytesMax) => {
      const value = Buffer.alloc(bytesMax)
      const row = template([[type, value]])
      check('C_GetAttributeValue', call.C_GetAttributeValue(session, object, row, 1n))
      return value.subarray(0, Number(row.readBigUInt64LE(2 * WORD)))
    },
    signEcdsa: (session, key, digest, signatureBytes) => {
      const signature = Buffer.alloc(signatureBytes)
      check('C_SignInit', call.C_SignInit(session, mechanism, key))
      count.writeBigUInt64LE(BigInt(signatureBytes))
      const length = BigInt(digest.length)
      check('C_Sign', call.C_Sign(session, digest, length, signature, count))
      if (count.readBigUInt64LE() === BigInt(signatureBytes)) return signature
      throw new Problem('key-unusable', 'the token made a signature of another length')
    },
  }
}

function words(...values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(values.length * WORD)
  for (const [at, value] of values.entries()) bytes.writeBigUInt64LE(value, at * WORD)
  return bytes
}

function readWords(list: Buffer, count: Buffer): bigint[] {
  const length = Math.min(Number(count.readBigUInt64LE()), list.length / WORD)
  return Array.from({ length }, (_, at) => list.readBigUInt64LE(at * WORD))
}

/** @throws {Problem} `key-unusable` naming the call and its return value (CKR_…), which are no secrets. */
function check(name: string, answer: bigint): void {
  if (answer === CKR.OK) return
  const why = answer === CKR.PIN_INCORRECT ? 'the PIN is wrong' : `it returned 0x${answer.toString(16)}` // prettier-ignore
  throw new Problem('key-unusable', `PKCS#11 \`${name}\`: ${why}`)
}
