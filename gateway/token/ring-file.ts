/** The key ring on disk: one file, readable by its owner alone, replaced as a whole. @module */
import { createSecretKey } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, linkSync, mkdirSync, openSync } from 'node:fs'
import { readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, toTimestamp } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { KEY_RING_BYTES_MAX, KEY_VERSIONS_MAX } from './limits.ts'
import { createRing, formatRing, type KeyRing, type KeyVersion, parseRing } from './ring.ts'

/** What making keys needs. */
export interface KeyPorts {
  readonly clock: Clock
  /** Cryptographically strong random bytes. */
  readonly random: (bytes: number) => Uint8Array
}

const FILE = 'tokens.json'
const KEY_BYTES = 32

/** The ring's file. */
export function ringPath(folder: string): string {
  return join(folder, FILE)
}

/**
 * Makes a new ring in `folder`, which it creates.
 *
 * @throws {Problem} `key-unusable` when there is one: a new ring would orphan every token.
 */
export function generateKeyRing(folder: string, ports: KeyPorts): KeyRing {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const first = makeVersion(1, 'e1', ports)
  const ring = createRing([first], 1, createSecretKey(ports.random(KEY_BYTES)))
  replaceFile(folder, formatRing(ring), 'new')
  return ring
}

/**
 * Reads the ring in `folder`.
 *
 * @throws {Problem} `key-unusable` when it is absent, readable by others, or malformed.
 */
export function openKeyRing(folder: string): KeyRing {
  const path = ringPath(folder)
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (cause) {
    const detail = `\`${path}\` cannot be opened; make one with \`sealgate keys generate\``
    throw new Problem('key-unusable', detail, { cause })
  }
  try {
    const { mode, size } = fstatSync(file)
    if ((mode & 0o077) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(4, '0')
      const detail = `\`${path}\` has mode ${found}; type \`chmod 600 ${path}\``
      throw new Problem('key-unusable', detail)
    }
    if (size > KEY_RING_BYTES_MAX) {
      throw new Problem('key-unusable', `\`${path}\` has more than ${KEY_RING_BYTES_MAX} bytes`)
    }
    return parseRing(readFileSync(file, 'utf8'))
  } finally {
    closeSync(file)
  }
}

/**
 * Adds a version, which makes all tokens from now on; the older ones still reveal theirs. Running
 * gateways see the file change and use it.
 *
 * @param options.epoch a label that no version has had; `e<version>` unless given.
 * @throws {Problem} `key-unusable`
 */
export function rotateKeyRing(
  folder: string,
  ports: KeyPorts,
  options: { readonly epoch?: string } = {},
): KeyRing {
  const ring = openKeyRing(folder)
  const version = ring.current.version + 1
  const epoch = options.epoch ?? `e${version}`
  if (version > KEY_VERSIONS_MAX) {
    throw new Problem('key-unusable', `the key ring is full at ${KEY_VERSIONS_MAX} versions`)
  }
  if (ring.versions.some((known) => known.epoch === epoch)) {
    throw new Problem('key-unusable', `the epoch \`${epoch}\` was used before; name another`)
  }
  const versions = [...ring.versions, makeVersion(version, epoch, ports)]
  const next = createRing(versions, ring.minimumAccepted, ring.links)
  replaceFile(folder, formatRing(next), 'existing')
  return next
}

/**
 * Erases the keys of the versions below `minimumAccepted`: their tokens can never be revealed again.
 *
 * @throws {Problem} `key-unusable` when the number is not between the present minimum and the current version.
 */
export function retireKeys(folder: string, minimumAccepted: number): KeyRing {
  const ring = openKeyRing(folder)
  const { minimumAccepted: least, current } = ring
  const possible = Number.isInteger(minimumAccepted) && minimumAccepted >= least
  if (!possible || minimumAccepted > current.version) {
    const detail = `expected a version from ${least} to ${current.version}`
    throw new Problem('key-unusable', detail)
  }
  const versions = ring.versions.map(({ key, ...row }) =>
    key === undefined || row.version < minimumAccepted ? row : { ...row, key },
  )
  const next = createRing(versions, minimumAccepted, ring.links)
  replaceFile(folder, formatRing(next), 'existing')
  return next
}

function makeVersion(version: number, epoch: string, { clock, random }: KeyPorts): KeyVersion {
  const key = createSecretKey(random(KEY_BYTES))
  return { version, epoch, created: toTimestamp(clock.wallUs()), key }
}

/** Writes beside, then swaps: a crash leaves the old ring or the new one, never half of one. */
function replaceFile(folder: string, text: string, target: 'new' | 'existing'): void {
  const path = ringPath(folder)
  const draft = `${path}.draft`
  // A draft that a crash left behind is in nobody's way; two writers at once are.
  rmSync(draft, { force: true })
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    if (target === 'existing') renameSync(draft, path)
    else linkSync(draft, path) // Fails where a ring exists; rename would overwrite it.
  } catch (cause) {
    throw new Problem('key-unusable', `\`${path}\` cannot be written, or exists`, { cause })
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(folder)
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
