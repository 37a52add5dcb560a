/** Opens the evidence floor for a gateway: keys, journal, and the way of records to the log. @module */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { openCommitmentKey } from '../evidence/commitment-key.ts'
import { derivedSecrets } from '../evidence/commitment.ts'
import { startRetention } from '../evidence/custody/retention.ts'
import type { CustodyStore } from '../evidence/custody/store.ts'
import { saveChain } from '../evidence/export-chains.ts'
import { openLogKeys } from '../evidence/log/keys.ts'
import { openTokenIdentity } from '../evidence/pkcs11/identity.ts'
import type { Persist } from '../evidence/record.ts'
import { type OpenRecorder, openRecorder, type RecorderOptions } from '../evidence/recorder.ts'
import type { SealKey } from '../evidence/seal.ts'
import type { PersistShelved } from '../evidence/shelf.ts'
import { formatTrust } from '../evidence/verify-trust.ts'
import { openSealIdentity } from '../evidence/x509-identity.ts'
import {
  type ClockPorts,
  type ClockWatch,
  type RunCommand,
  startClockWatch,
} from '../workers/clock.ts'
import { startThread, type ThreadPersister } from '../workers/thread.ts'
import type { WitnessStatus } from '../workers/witness.ts'
import { buildDigest } from './build.ts'
import type { Config } from './config.ts'
import { openCustody } from './custody.ts'
import { type Logger, describeError } from './log.ts'
import { chainsFolder, logPlaces } from './places.ts'
import { timestampRoots } from './timestamps.ts'

/** Tells the operator; holds no value. */
export type Alarm = (message: string, error?: unknown) => void

/** The open evidence floor. */
export interface Evidence {
  readonly recorder: OpenRecorder
  /** The way to the log, for what other processes of the installation sealed. */
  readonly persist: Persist
  /** Where originals are kept; undefined when no custodian is configured. */
  readonly custody: CustodyStore | undefined
  /** How far the log was seen by its witnesses; absent without any, and where a worker fills the log. */
  readonly witnessing?: () => WitnessStatus
  /** What should be looked at and stops nothing yet: records wait for the log, a witness saw another one. */
  readonly warnings: () => readonly string[]
  /** Seals and hands over what is accepted, then closes. */
  close(): Promise<void>
}

interface EvidencePorts {
  readonly clock: Clock
  readonly log: Logger
  /** Asks the machine's time service. */
  readonly ask: RunCommand
}

/** @throws {Problem} as the recorder, the log and the keys do. */
export async function openEvidence(
  config: Config,
  { clock, log, ask }: EvidencePorts,
): Promise<Evidence> {
  const alarm: Alarm = (message, error) => log.error({ error: describeError(error) }, message)
  const sink = await startSink(config, alarm)
  const { witnessing, trouble } = sink
  const isWitnessed = config.witnesses !== undefined && config.queue.kind === 'embedded'
  let watch: ClockWatch | undefined
  try {
    const kept = await openCustody(config)
    const recorder = await openRecorder({
      ...sealingOf(config, clock),
      folder: join(config.data, 'journal'),
      persist: sink.deliver,
      ...(kept === undefined ? {} : { custody: kept.custody }),
      clock,
      alarm,
      hindrance: () => (watch?.withinLimits() === false ? CLOCK_PROBLEM : undefined),
    })
    const note: ClockPorts['note'] = (facts) => recorder.note('clock', facts)
    watch = await startClockWatch({ clock, run: ask, note, alarm })
    if (watch.state().source === 'none') log.warn({}, NO_TIME_SERVICE)
    log.info({ instance: recorder.instance, recovered: recorder.recovered }, 'journal open')
    const keeper = { note: recorder.note, clock, alarm }
    const retention = kept && startRetention({ ...keeper, store: kept.store })
    return {
      recorder,
      persist: sink.persist,
      custody: kept?.store,
      ...(isWitnessed ? { witnessing } : {}),
      warnings: () => [trouble(), ...witnessing().split].filter((text) => text !== undefined),
      close: async () => {
        await retention?.stop()
        await watch?.close()
        await recorder.close()
        await sink.close()
      },
    }
  } catch (error) {
    await sink.close()
    throw error
  }
}

/** What every recorder of an installation shares: keys, and what its records say of their origin. */
function sealingOf(
  config: Config,
  clock: Clock,
): Pick<RecorderOptions, 'identity' | 'secrets' | 'origin'> {
  const { data, file, operator } = config
  return {
    identity: (instance) => openSealKey(config, instance, clock),
    secrets: derivedSecrets(openCommitmentKey(join(data, 'keys', 'commitment.key'))),
    origin: {
      org: operator.name,
      role: operator.role,
      build: buildDigest(),
      config: `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`,
    },
  }
}

/** A recorder for another process of the same installation: a journal and a chain of its own. */
export function openFileRecorder(
  config: Config,
  options: Pick<RecorderOptions, 'folder' | 'clock' | 'alarm' | 'persist'>,
): Promise<OpenRecorder> {
  return openRecorder({ ...sealingOf(config, options.clock), ...options })
}

const CLOCK_PROBLEM = new Problem(
  'evidence-unavailable',
  'the clock is beyond its limits; records could not be dated',
)
const NO_TIME_SERVICE =
  'no time service answers (chronyc, timedatectl): only jumps of the clock are noticed'

/** The log's thread, and what it told of the log. */
interface Sink extends ThreadPersister {
  readonly witnessing: () => WitnessStatus
  /** Hands records over as `persist` does, and remembers whether they were taken. */
  readonly deliver: PersistShelved
  /** Why the newest records are not in the log; undefined while all is well. */
  readonly trouble: () => string | undefined
}

/** Starts the thread that fills the log, or the queue. */
async function startSink(config: Config, alarm: Alarm): Promise<Sink> {
  let status: WitnessStatus = { size: 0, witnessed: 0, split: [] }
  let trouble: string | undefined
  const thread = await startThread({
    start: () => new Worker(new URL('./sink-thread.ts', import.meta.url), { workerData: config }),
    alarm,
    witnessed: (now) => {
      status = now
    },
  })
  return {
    ...thread,
    witnessing: () => status,
    trouble: () => trouble,
    deliver: async (records) => {
      try {
        await thread.persist(records)
        trouble = undefined
      } catch (error) {
        const why = error instanceof Problem ? error.message : 'the log failed; see the alarms'
        trouble = `records wait in the journal: ${why}`
        throw error
      }
    },
  }
}

/** Keeps what exports and verifiers need before the key seals anything: chain and trust anchors. */
async function openSealKey(config: Config, instance: string, clock: Clock): Promise<SealKey> {
  const { data, operator } = config
  const keys = join(data, 'keys')
  const names = { organization: operator.name, instance, clock }
  const identity =
    config.seal === undefined
      ? await openSealIdentity(keys, names)
      : await openTokenIdentity(keys, config.seal.pkcs11, names)
  saveChain(chainsFolder(data), [identity.certificateDer, ...identity.chainDer])
  const logKeys = openLogKeys(keys, logPlaces(config).origin).map(({ verifier }) => verifier)
  writeFileSync(
    join(data, 'trust.json'),
    formatTrust({
      roots: identity.chainDer.slice(-1),
      logKeys,
      timestampRoots: await timestampRoots(config),
    }),
  )
  return identity
}
