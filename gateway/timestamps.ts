/** Runs the time stamping of the log that a configuration names, and its renewal. @module */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { countersign, openSm2Identity } from '../evidence/gm/identity.ts'
import { logStore, readNames } from '../evidence/log/line.ts'
import { openFolderStore } from '../evidence/log/store.ts'
import { readPem } from '../evidence/pem.ts'
import { openTimestampSources, readTrust } from '../evidence/timestamp/sources.ts'
import { startRenewal } from '../workers/renewal.ts'
import { startTimestampWorker } from '../workers/timestamp.ts'
import type { Config } from './config.ts'
import { logPlaces, sm2File } from './places.ts'

/** Stamps checkpoints until closed; whoever appends to the log runs it. @throws {Problem} `key-unusable` */
export async function startTimestamps(
  config: Config,
  clock: Clock,
  alarm: (message: string, error?: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  const root = openFolderStore(logPlaces(config).log)
  const { authorities, intervalMs, recordsMax, sunsets } = config.timestamp
  const sources = await openTimestampSources(authorities, {
    keys: join(config.data, 'keys'),
    trust: trustFolder(config),
    organization: config.operator.name,
    clock,
  })
  const logs = async () => (await readNames(root)).map((name) => logStore(root, name))
  const identity = config.gm ? await openSm2Identity(sm2File(config), clock) : undefined
  const ports = { sources, logs, clock, alarm, intervalMs, recordsMax }
  const stamping = startTimestampWorker(
    identity === undefined
      ? ports
      : { ...ports, countersign: (bytes) => countersign(identity, bytes) },
  )
  // An authority that did not make the first tokens does not share their fate.
  const source = sources.at(-1)
  const renewal = source && startRenewal({ source, logs, clock, alarm, sunsets })
  return {
    close: async () => {
      await stamping.close()
      await renewal?.close()
    },
  }
}

/** Whom exports and trust files name for time: the embedded authority's root, and those in `trust`. */
export async function timestampRoots(config: Config): Promise<Uint8Array[]> {
  const own = join(config.data, 'keys', 'root.crt.pem')
  const embedded =
    config.timestamp.authorities.some(({ url }) => url === 'embedded') && existsSync(own)
  const roots = embedded ? readPem(readFileSync(own, 'utf8')) : []
  return [...roots, ...(await readTrust(trustFolder(config)))]
}

function trustFolder({ data }: Config): string {
  return join(data, 'trust')
}
