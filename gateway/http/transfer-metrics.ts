/** Long bodies in numbers, for operators (prom-client). Labels are two words, never values. @module */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { TransferStatus } from '../stream/transfers.ts'
import type { LongPorts } from './long-request.ts'
import type { PartPorts } from './upload-part.ts'

const DIRECTIONS = ['request', 'response', 'upload'] as const
type Direction = (typeof DIRECTIONS)[number]

/** Adds the metrics; they are read when they are asked for. */
export function addTransferMetrics(
  registry: Registry,
  {
    transfers,
    spools,
    uploads,
  }: Pick<LongPorts, 'transfers' | 'spools'> & Pick<PartPorts, 'uploads'>,
): void {
  const registers = [registry]
  const running = (direction: Direction) =>
    transfers.list().filter((transfer) => transfer.direction === direction)
  const total = (name: string, help: string, of: (direction: Direction) => number) =>
    new Counter({
      name,
      help,
      labelNames: ['direction'],
      registers,
      collect() {
        this.reset()
        for (const direction of DIRECTIONS) this.inc({ direction }, of(direction))
      },
    })
  const gauge = (name: string, help: string, of: (direction: Direction) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['direction'],
      registers,
      collect() {
        for (const direction of DIRECTIONS) this.set({ direction }, of(direction))
      },
    })
  const grown = (figure: 'received' | 'forwarded' | 'rows') => (direction: Direction) =>
    transfers.finished()[direction][figure] + sum(running(direction), figure)
  const sumOf = (figure: Figure) => (direction: Direction) => sum(running(direction), figure)
  total('sealgate_transfer_bytes_received_total', 'Bytes of long bodies, as they came.', grown('received')) // prettier-ignore
  total('sealgate_transfer_bytes_forwarded_total', 'Bytes of long bodies, as they left.', grown('forwarded')) // prettier-ignore
  total('sealgate_transfer_rows_total', 'Rows of long bodies that left.', grown('rows'))
  total('sealgate_transfers_total', 'Long bodies that ended.', (direction) => transfers.finished()[direction].bodies) // prettier-ignore
  gauge('sealgate_transfers', 'Long bodies under way.', (direction) => running(direction).length)
  gauge('sealgate_transfer_bytes_per_second', 'Rate of the long bodies under way, as they come.', sumOf('bytesPerSecond')) // prettier-ignore
  gauge('sealgate_transfer_bytes_remaining', 'Bytes still to come, of those whose length is known.', sumOf('remainingBytes')) // prettier-ignore
  new Counter({
    name: 'sealgate_uploads_ended_total',
    help: 'Resumable uploads that ended: the outcome of their relay, or the problem that ended them before.',
    labelNames: ['end'],
    registers,
    collect() {
      this.reset()
      for (const [end, count] of uploads.counts()) this.inc({ end }, count)
    },
  })
  new Gauge({
    name: 'sealgate_spool_bytes',
    help: 'Bytes that are held back in files.',
    registers,
    collect() {
      this.set(spools.bytes())
    },
  })
}

type Figure = 'received' | 'forwarded' | 'rows' | 'bytesPerSecond' | 'remainingBytes'

function sum(transfers: readonly TransferStatus[], figure: Figure): number {
  return transfers.reduce((all, transfer) => all + (transfer[figure] ?? 0), 0)
}
