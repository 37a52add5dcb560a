/** What decides about content: kinds, keys, transforms, policies; read again whenever its files change. @module */
import type { JWK } from 'jose'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Report } from '../base/diagnostic.ts'
import { Problem } from '../base/problem.ts'
import type { Config } from './config.ts'
import { createDetect, surely } from './guard/detect.ts'
import { type Guard, createGuard } from './guard/guard.ts'
import { type Kinds, parseKinds } from './guard/kinds.ts'
import { openKeys } from './party/keys.ts'
import type { PolicyArchive } from './policy/archive.ts'
import { type Live, type LiveEvents, digestOfPolicies, openLive } from './policy/live.ts'
import { numbered } from './policy/mistakes.ts'
import { type Registry, loadRegistry } from './policy/registry.ts'
import { createYesSayer } from './policy/rehearsal.ts'
import { openKeyRing, ringPath } from './token/ring-file.ts'
import type { KeyRing } from './token/ring.ts'
import type { VaultStore } from './token/vault.ts'
import type { TransformTable } from './transform/transform.ts'
import { askOverHttp } from './transform/attest.ts'
import { type TransformPorts, createTransforms } from './transform/table.ts'

/** What is in force: all of one reading. */
export interface Content {
  readonly registry: Registry
  readonly guard: Guard
  readonly keys: KeyRing
  /** The transforms in force, without their effects: they ask nobody and store nothing. */
  readonly rehearsal: TransformTable
}

/** What content needs besides its files. */
export interface ContentPorts {
  readonly clock: Clock
  readonly vault: VaultStore
  readonly archive: Pick<PolicyArchive, 'keep'>
}

/**
 * Opens the kinds dictionary, the token keys and every policy, and runs the policies' own tests; an
 * edited policy, dictionary or a rotated key takes effect by itself.
 *
 * @returns undefined when anything is wrong; `report` then says what, all of it.
 */
export function openContent(
  config: Config,
  { clock, vault, archive }: ContentPorts,
  report: Report,
  events: LiveEvents<Content>,
): Promise<Live<Content> | undefined> {
  const { policies, parties, envelopes, data } = config
  const keysFolder = join(data, 'keys')
  const peers = peersOf(config)
  const load = async (attempt: Report): Promise<Content | undefined> => {
    const kinds = openKinds(join(policies, 'kinds.yaml'), attempt)
    const keys = openRing(keysFolder, attempt)
    if (kinds === undefined || keys === undefined) return undefined
    const defaultMask = (kind: string) => kinds.get(kind)?.mask
    const detect = surely(createDetect(kinds))
    const ports = { keys, clock, vault, detect, defaultMask, ...peers }
    const transforms = createTransforms(ports)
    const shadowTransforms = createTransforms({ ...ports, ...withoutEffects(vault) })
    const names = { transforms, shadowTransforms, kinds, parties, envelopes }
    const registry = await loadRegistry(policies, names, attempt)
    if (registry === undefined || !archive.keep(registry, attempt)) return undefined
    return { registry, guard: createGuard(kinds), keys, rehearsal: shadowTransforms }
  }
  // A ring is replaced as a whole, so its inode tells; its bytes are better left alone.
  const digest = () => {
    const { ino, mtimeMs } = statSync(ringPath(keysFolder), { throwIfNoEntry: false }) ?? {}
    return `${digestOfPolicies(policies)} ${ino} ${mtimeMs}`
  }
  return openLive({ folders: [policies, keysFolder], digest, load }, report, events)
}

/** A shadow version asks nobody and stores nothing. */
function withoutEffects(vault: VaultStore): Pick<TransformPorts, 'vault' | 'verifiers'> {
  const { get } = vault
  const readOnly = { get, put: () => Promise.resolve(), remove: () => Promise.resolve(true) }
  return { vault: readOnly, verifiers: createYesSayer() }
}

/** Whom transforms write to or ask. */
function peersOf({
  parties,
  verifiers,
}: Config): Pick<TransformPorts, 'recipientKey' | 'verifiers'> {
  const sealing = new Map(
    parties.flatMap(({ id, encryptTo }) =>
      encryptTo === undefined ? [] : [[id, JSON.parse(readFileSync(encryptTo, 'utf8')) as JWK]],
    ),
  )
  return {
    recipientKey: (party) => sealing.get(party),
    verifiers: new Map(
      verifiers.map(({ id, issuer, url, jwks, timeoutMs }) => [
        id,
        { issuer, keys: openKeys(jwks), ask: askOverHttp(url, timeoutMs) },
      ]),
    ),
  }
}

function openRing(folder: string, report: Report): KeyRing | undefined {
  try {
    return openKeyRing(folder)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const at = { file: ringPath(folder), line: 1, column: 1 }
    report.error(at, error.message, 'put the key ring back from its backup')
    return undefined
  }
}

function openKinds(file: string, whole: Report): Kinds | undefined {
  const report = numbered(whole, 'P012')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    const help = 'put the kinds dictionary there, or correct `policies` in the configuration'
    report.error({ file, line: 1, column: 1 }, 'the kinds dictionary cannot be read', help)
    return undefined
  }
  return parseKinds(report, file, text)
}
