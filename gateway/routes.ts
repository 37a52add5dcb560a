/** Loads what decides about content: kinds, transforms, policies; and matches routes. @module */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Report } from '../base/diagnostic.ts'
import { createDetect } from './guard/detect.ts'
import { type Guard, createGuard } from './guard/guard.ts'
import { type Kinds, parseKinds } from './guard/kinds.ts'
import { type Registry, loadRegistry } from './policy/registry.ts'
import type { KeyRing } from './token/ring.ts'
import { createTransforms } from './transform/table.ts'

/** What decides about content. */
export interface Content {
  readonly registry: Registry
  readonly guard: Guard
}

/**
 * Loads the kinds dictionary and every policy of a folder, and runs the policies' own tests.
 *
 * @returns undefined when anything is wrong; `report` then says what, all of it.
 */
export async function openContent(
  folder: string,
  ports: { readonly clock: Clock; readonly keys: KeyRing },
  report: Report,
): Promise<Content | undefined> {
  const kinds = openKinds(join(folder, 'kinds.yaml'), report)
  if (kinds === undefined) return undefined
  const transforms = createTransforms({ ...ports, detect: createDetect(kinds) })
  const registry = await loadRegistry(folder, { transforms, kinds }, report)
  return registry === undefined ? undefined : { registry, guard: createGuard(kinds) }
}

function openKinds(file: string, report: Report): Kinds | undefined {
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
