/** Has the log cosigned by its witnesses, and compares what each of them saw with the log. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../base/problem.ts'
import type { Witness, WitnessPolicy } from '../evidence/log/policy.ts'
import { COSIGNED_KEY, type LogReader, openCosigned, openReader } from '../evidence/log/reader.ts'
import type { Store } from '../evidence/log/store.ts'
import { collectCosignatures, compareView, fetchView } from '../evidence/log/witness-client.ts'

/** What is known of the newest log. */
export interface WitnessStatus {
  /** Records in it, and how many of them a quorum of witnesses has seen. */
  readonly size: number
  readonly witnessed: number
  /** One sentence for each witness that saw another history. It stays: a person must look. */
  readonly split: readonly string[]
}

export interface WitnessPorts {
  /** The stores of all logs, oldest first; none before the first record. */
  readonly logs: () => Promise<readonly Store[]>
  readonly policy: WitnessPolicy
  readonly intervalMs: number
  /** Logger port. */
  readonly alarm: (message: string, error?: unknown) => void
  /** Told of the status after each round. */
  readonly witnessed: (status: WitnessStatus) => void
}

/** Begins at once and goes on until closed. */
export function startWitnessing(ports: WitnessPorts): { close(): Promise<void> } {
  const split = new Map<string, string>()
  let status: WitnessStatus = { size: 0, witnessed: 0, split: [] }
  const accuse = (name: string, message: string): void => {
    if (!split.has(name)) ports.alarm(`SPLIT VIEW: keep all files, do not restart. ${message}`)
    split.set(name, message)
  }
  const round = async (): Promise<void> => {
    try {
      // A log that another one follows may lack the cosignatures of its last checkpoint.
      for (const store of (await ports.logs()).slice(-2)) {
        const [size, witnessed] = await witnessLog(ports, store, accuse)
        status = { size, witnessed, split: [] }
      }
    } catch (error) {
      ports.alarm('the log could not be shown to its witnesses', error)
    }
    ports.witnessed({ ...status, split: [...split.values()] })
  }
  const stop = new AbortController()
  const loop = repeat(round, ports.intervalMs, stop.signal)
  return {
    close: async () => {
      stop.abort()
      await loop
    },
  }
}

type Accuse = (name: string, message: string) => void

/** @returns the log's size, and the size that a quorum has cosigned. */
async function witnessLog(
  { policy, alarm }: WitnessPorts,
  store: Store,
  accuse: Accuse,
): Promise<readonly [size: number, witnessed: number]> {
  const reader = await openReader(store)
  const { size } = reader.checkpoint
  let witnessed = (await openCosigned(store))?.checkpoint.size ?? 0
  if (witnessed < size) {
    const { text, met, failures } = await collectCosignatures(reader, policy)
    // Somebody else may have shown it a newer state than the one that was read above.
    const grown = (await openReader(store)).checkpoint.size > size
    for (const { name, problem } of failures) {
      if (problem.slug !== 'log-inconsistent') alarm(`witness \`${name}\` did not cosign`, problem)
      else if (!grown) accuse(name, problem.message)
    }
    if (met) {
      await store.put(COSIGNED_KEY, Buffer.from(text))
      witnessed = size
    }
  }
  for (const witness of policy.witnesses) await look(witness, store, reader, accuse)
  return [size, witnessed]
}

/** A witness that does not answer was told of above; one that never saw this log says nothing. */
async function look(
  { name, url, verifier }: Witness,
  store: Store,
  reader: LogReader,
  accuse: Accuse,
): Promise<void> {
  if (url === undefined) return
  try {
    await compareView(url, verifier, reader)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.slug !== 'log-inconsistent') return
    accuse(name, error.message)
    // The two signed checkpoints prove it, whatever becomes of the witness.
    const theirs = await fetchView(url, verifier, reader.checkpoint.origin)
    const key = `split/${theirs.checkpoint.size}.${verifier.id}`
    await store.put(`${key}.witness`, Buffer.from(theirs.text))
    await store.put(`${key}.log`, Buffer.from(reader.text))
  }
}

async function repeat(
  round: () => Promise<void>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await round()
    try {
      await sleep(intervalMs, undefined, { signal, ref: false })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
