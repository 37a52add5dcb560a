/** Gauges of the log's witnessing for operators (prom-client). @module */
import { Gauge, type Registry } from 'prom-client'
import type { WitnessStatus } from '../../workers/witness.ts'

/** Adds the metrics. */
export function addWitnessMetrics(registry: Registry, status: () => WitnessStatus): void {
  const gauge = (name: string, help: string, value: (now: WitnessStatus) => number) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(value(status()))
      },
    })
  gauge('sealgate_log_records', 'Records in the newest log.', ({ size }) => size)
  gauge(
    'sealgate_log_witnessed_records',
    'Records that a quorum of witnesses has seen.',
    ({ witnessed }) => witnessed,
  )
  gauge(
    'sealgate_log_split_views',
    'Witnesses that saw another history of the log. Anything but 0 is an emergency.',
    ({ split }) => split.length,
  )
}
