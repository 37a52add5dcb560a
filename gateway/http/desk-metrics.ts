/** Desks of files in numbers, for operators (prom-client). The label is a policy's id; counters start with a command. @module */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { DeskStatus } from '../file/status.ts'

/** Adds the metrics; what desks tell is read once for all of them, when they are asked for. */
export function addDeskMetrics(registry: Registry, desks: () => readonly DeskStatus[]): void {
  const registers = [registry]
  const labelNames = ['policy'] as const
  const fill: ((desk: DeskStatus) => void)[] = []
  const up = new Gauge({
    name: 'sealgate_desk_up',
    help: '1 while a command `sealgate file` gives signs of life.',
    labelNames,
    registers,
    // It is asked before the others, for it was registered before them.
    collect() {
      for (const metric of all) metric.reset()
      for (const desk of desks()) for (const set of fill) set(desk)
    },
  })
  const all: (Gauge | Counter)[] = [up]
  fill.push(({ policy, state }) => {
    up.set({ policy }, state === 'working' || state === 'idle' ? 1 : 0)
  })
  const gauge = (name: string, help: string, of: (desk: DeskStatus) => number | undefined) => {
    const metric = new Gauge({ name: `sealgate_desk_${name}`, help, labelNames, registers })
    all.push(metric)
    fill.push((desk) => {
      const value = of(desk)
      if (value !== undefined) metric.set({ policy: desk.policy }, value)
    })
  }
  const total = (name: string, help: string, of: (desk: DeskStatus) => number) => {
    const metric = new Counter({ name: `sealgate_desk_${name}_total`, help, labelNames, registers })
    all.push(metric)
    fill.push((desk) => metric.inc({ policy: desk.policy }, of(desk)))
  }
  gauge('files_waiting', 'Files that are whole and not decided.', (desk) => desk.waiting)
  gauge('files_incomplete', 'Files that wait for a companion.', (desk) => desk.incomplete)
  gauge('files_running', 'Files under way.', (desk) => desk.transfers.length)
  gauge('bytes_per_second', 'Rate of the file under way, as it is read.', sumOf('bytesPerSecond'))
  gauge('bytes_remaining', 'Bytes still to come of the file under way.', sumOf('remainingBytes'))
  gauge('delivered_timestamp_seconds', 'When the last file was delivered.', deliveredAt)
  total('files_delivered', 'Files that were delivered.', (desk) => desk.delivered)
  total('files_refused', 'Files that were refused.', (desk) => desk.refused)
  total('rows', 'Rows of files that were delivered.', (desk) => desk.rows)
  total(
    'bytes_received',
    'Bytes of files that were delivered, as they came.',
    (desk) => desk.received,
  )
  total(
    'bytes_forwarded',
    'Bytes of files that were delivered, as they left.',
    (desk) => desk.forwarded,
  )
}

function sumOf(figure: 'bytesPerSecond' | 'remainingBytes') {
  return ({ transfers }: DeskStatus) =>
    transfers.reduce((sum, transfer) => sum + (transfer[figure] ?? 0), 0)
}

function deliveredAt({ deliveredAt: at }: DeskStatus): number | undefined {
  return at === undefined ? undefined : Date.parse(at) / 1000
}
