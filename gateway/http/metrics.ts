/** Counters for operators. Labels are slugs and route templates, never values (prom-client). @module */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Exchange } from '../exchange.ts'
import { routeName } from './facts.ts'

/** What the relay counts. */
export interface Metrics {
  observe(exchange: Exchange, status: number, seconds: number): void
  readonly registry: Registry
}

/** Seconds; from one loopback hop to the recipient's time limit. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

/** @param gauges read when the metrics are asked for: exchanges in flight, evidence not yet in the log. */
export function createMetrics(gauges: { inFlight: () => number; backlog: () => number }): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const exchanges = new Counter({
    name: 'sealgate_exchanges_total',
    help: 'Finished exchanges by route, status for the caller, and problem slug.',
    labelNames: ['from', 'to', 'route', 'status', 'problem'],
    registers,
  })
  const duration = new Histogram({
    name: 'sealgate_exchange_duration_seconds',
    help: "From the request's head to the answer.",
    labelNames: ['route'],
    buckets: BUCKETS,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('sealgate_exchanges_in_flight', 'Exchanges under way.', gauges.inFlight)
  gauge('sealgate_evidence_backlog', 'Records that are not yet in the log.', gauges.backlog)
  return {
    registry,
    observe: ({ caller, recipient, route, problem }, status, seconds) => {
      const name = route === undefined ? '' : routeName(route.policy)
      exchanges.inc({
        from: caller?.party.id ?? '',
        to: recipient?.id ?? '',
        route: name,
        status: String(status),
        problem: problem?.slug ?? '',
      })
      duration.observe({ route: name }, seconds)
    },
  }
}
